"""What the names of metrics in ``compile`` mean for an output and its loss."""

from __future__ import annotations

from typing import Any

from kbackend import losses
from kbackend.metrics import get
from kbackend.metrics.base import Metric

_BY_OUTPUT = ("accuracy", "acc", "crossentropy", "ce")


def resolved(identifier: Any, output: Any = None, loss: Any = None) -> tuple[str, Any]:
    """The name in logs, and the function or Metric, that an entry of ``metrics`` means.

    'accuracy' and 'acc' ('crossentropy' and 'ce') mean the binary, sparse or categorical one, as the last dimension of
    the output and its loss suggest. The name of a function is the one that was given, that of an object is its own.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> from kbackend import K, losses
    >>> name, function = resolved("acc", K.placeholder((None, 1)), losses.binary_crossentropy)
    >>> name, function.__name__
    ('acc', 'binary_accuracy')
    """
    found = _of_output(identifier, output, loss) if identifier in _BY_OUTPUT else get(identifier)
    if isinstance(found, Metric):
        return found.name, found
    if isinstance(identifier, str):
        return identifier, found
    return str(getattr(found, "__name__", None) or getattr(found, "name", "metric")), found


def _of_output(identifier: str, output: Any, loss: Any) -> Any:
    kind = "accuracy" if identifier.startswith("acc") else "crossentropy"
    return get(f"{_classes(output, loss)}_{kind}")


def _classes(output: Any, loss: Any) -> str:
    binary = (losses.binary_crossentropy, losses.binary_focal_crossentropy)
    if any(losses.function_of(loss) is function for function in binary):
        return "binary"
    if output is not None and output.shape and output.shape[-1] == 1:
        return "binary"
    return "sparse_categorical" if losses.takes_labels(loss) else "categorical"
