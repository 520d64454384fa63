"""Errors that TensorFlow raises while a kernel or program runs, as the exceptions that all engines raise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from tensorflow.errors import InvalidArgumentError

_KINDS: tuple[tuple[str, type[Exception]], ...] = (
    (r"indices\S* = .* is not in \[", IndexError),
    (r"segment_ids\S* = .* is out of range", IndexError),  # the gradient of a gather
    (r"slice index -?\d+ of dimension \d+ out of bounds", IndexError),
    (r"[Dd]ivision by zero", ZeroDivisionError),
    (r"not positive definite|not invertible|did not converge|decomposition was not successful", np.linalg.LinAlgError),
    (r"", ValueError),
)


#: what TensorFlow says of a label outside [0, n), and what kbackend_tensorflow.kernels.losses.crossentropy says
_LABEL = re.compile(
    r"label (?:value of )?\[?(-?\d+)\]? (?:which is outside the valid range of|is not in) \[0, (\d+)\)"
)


def translated(error: InvalidArgumentError) -> Exception:
    """The exception for an InvalidArgumentError: IndexError, ZeroDivisionError, or else ValueError."""
    text = error.message or str(error)
    kind = next(kind for pattern, kind in _KINDS if re.search(pattern, text))
    return kind(_detail(text))


#: what an op that runs outside a program wraps its message in
_WRAPPING = re.compile(r"\{\{function_node __wrapped__.*?\}\} ?| ?\[Op:\w+\]( name: ?\S*)?")


def _detail(text: str) -> str:
    """The part of a message that says what was wrong, without the traceback of the traced graph."""
    text = _WRAPPING.sub("", text)
    label = _LABEL.search(text)
    if label:
        return f"the label {label[1]} is not in [0, {label[2]})"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [
        line
        for line in lines
        if "[[{{node" not in line
        and "[Op:" not in line
        and not line.startswith(
            ("Graph execution error", "Detected at node", 'File "', "Stack trace", "<stack traces")
        )
    ]
    return (told[-1] if told else lines[0] if lines else text)[:500]


def translating(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` with TensorFlow's error turned into Python's."""
    try:
        return function(*args, **kwargs)
    except InvalidArgumentError as error:
        raise translated(error) from error


_XLA = re.compile(r"tf2xla conversion failed|unsupported operations when trying to compile|XLA compilation")
_NO_KERNEL = re.compile(r"No registered '(\w+)' OpKernel")


def refused_by_xla(error: BaseException) -> str | None:
    """What XLA says when an error means that it could not compile a program, else None."""
    text = str(error)
    if not _XLA.search(text):
        return None
    missing = dict.fromkeys(_NO_KERNEL.findall(text))
    return f"it has no kernel for {', '.join(missing)}" if missing else _detail(text)
