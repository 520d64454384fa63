"""What the names of metrics in ``compile`` mean for an output and its loss."""

from __future__ import annotations

from typing import Any

from kbackend import losses
from kbackend.metrics import get
from kbackend.metrics.base import Metric

#: metrics that depend on the output, its loss and its targets
BY_OUTPUT = ("accuracy", "acc", "crossentropy", "ce")


def resolved(identifier: Any, output: Any = None, loss: Any = None, target: Any = None) -> tuple[str, Any]:
    """The name in logs, and the function or Metric, that an entry of ``metrics`` means.

    'accuracy' and 'acc' ('crossentropy' and 'ce') mean the binary, sparse or categorical one, by the last dimension of
    the output and by its loss, whatever form that has; for a loss of the user's own, targets of one number for several
    of the output are labels. The name of a function is the one that was given, that of an object is its own.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> from kbackend import K, losses
    >>> name, function = resolved("acc", K.placeholder((None, 1)), losses.binary_crossentropy)
    >>> name, function.__name__
    ('acc', 'binary_accuracy')
    """
    found = _of_output(identifier, output, loss, target) if identifier in BY_OUTPUT else get(identifier)
    if isinstance(found, Metric):
        return found.name, found
    if isinstance(identifier, str):
        return identifier, found
    return str(getattr(found, "__name__", None) or getattr(found, "name", "metric")), found


def _of_output(identifier: str, output: Any, loss: Any, target: Any) -> Any:
    kind = "accuracy" if identifier.startswith("acc") else "crossentropy"
    return get(f"{_classes(output, loss, target)}_{kind}")


def _classes(output: Any, loss: Any, target: Any) -> str:
    function = losses.function_of(loss)
    if function in (losses.binary_crossentropy, losses.binary_focal_crossentropy):
        return "binary"
    if output is not None and output.shape and output.shape[-1] == 1:
        return "binary"
    if losses.takes_labels(loss):
        return "sparse_categorical"
    of_labels = target is not None and (target.ndim < output.ndim or target.ndim and target.shape[-1] == 1)
    return "sparse_categorical" if of_labels and losses.is_own(loss) else "categorical"
