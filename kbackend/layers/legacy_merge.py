"""Keras 1's merge of tensors and of branches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.input import Input
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import as_list, distinct
from kbackend.layers.core import Lambda
from kbackend.layers.merge import Add, Average, Concatenate, Dot, Maximum, Multiply

_MERGES: Mapping[str, Callable[..., Layer]] = {
    "sum": lambda axis, axes, **named: Add(**named),
    "mul": lambda axis, axes, **named: Multiply(**named),
    "ave": lambda axis, axes, **named: Average(**named),
    "max": lambda axis, axes, **named: Maximum(**named),
    "concat": lambda axis, axes, **named: Concatenate(axis=axis, **named),
    "dot": lambda axis, axes, **named: Dot(axes=axes, **named),
    "cos": lambda axis, axes, **named: Dot(axes=axes, normalize=True, **named),
}
_NEW_NAMES = {
    "sum": "Add()", "mul": "Multiply()", "ave": "Average()", "max": "Maximum()", "concat": "Concatenate(axis)",
    "dot": "Dot(axes)", "cos": "Dot(axes, normalize=True)",
}  # fmt: skip


def Merge(
    layers: Any = None,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Layer:
    """Keras 1's merge layer of a mode: the layer that is called on a list of tensors now.

    Args:
        layers: models, or layers with an ``input_shape``, whose outputs are merged: the first layer of a Sequential,
            which then has all their inputs. None for a layer that is called on tensors.
        mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot' or 'max', or a function of the list of tensors.
        concat_axis: for 'concat'.
        dot_axes: for 'dot' and 'cos'.
        output_shape, output_mask, arguments: for a function, as of :class:`~kbackend.layers.Lambda`.
        name: the name of the layer.

    Raises:
        ValueError: an unknown mode, a layer whose input's shape is not known, or fewer than two layers.
        TypeError: what is merged is no layer.

    >>> import warnings
    >>> from kbackend import Input, Sequential, layers
    >>> from kbackend.layers.legacy import Merge
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     Merge(mode="concat")([Input((2,)), Input((3,))]).shape
    ...     a, b = layers.Dense(2, input_shape=(4,)), layers.Dense(3, input_shape=(5,))
    ...     Sequential([Merge([a, b], mode="concat"), layers.Dense(1)]).input_shape
    (None, 5)
    [(None, 4), (None, 5)]
    """
    if callable(mode):
        _warn("Merge with a function is a spelling of Keras 1; write Lambda(function)")
        joint: Layer = Lambda(mode, output_shape, output_mask, arguments, name=name)
    elif mode not in _MERGES:
        raise ValueError(f"the mode of a merge must be one of {', '.join(_MERGES)} or a function, it is {mode!r}")
    else:
        _warn(f"Merge(mode={mode!r}) is a spelling of Keras 1; write {_NEW_NAMES[mode]}")
        joint = _MERGES[mode](concat_axis, _axes(dot_axes), name=name)
    if layers is not None:
        joint._begins = _merged(joint, layers)
    return joint


def _axes(axes: Any) -> Any:
    """Axes of a dot; Keras 1 took one-element sequences for integers too."""
    if isinstance(axes, (list, tuple)):
        return tuple(a[0] if isinstance(a, (list, tuple)) and len(a) == 1 else a for a in axes)
    return axes


class _Merged(NamedTuple):
    """The inputs of merged branches, each once, and the result."""

    inputs: Sequence[Any]
    output: Any


def _merged(joint: Layer, branches: Sequence[Any]) -> _Merged:
    found = [_ends(branch) for branch in branches]
    if len(found) < 2:
        raise ValueError(f"Merge needs two layers or more, it was given {len(found)}")
    return _Merged(
        distinct([t for inputs, _ in found for t in inputs]), joint([t for _, outputs in found for t in outputs])
    )


def _ends(branch: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """The inputs and outputs of a branch, which is called on an input of its own where it has no call yet."""
    if isinstance(branch, Tensor):
        return [branch], [branch]
    if not isinstance(branch, Layer):
        raise TypeError(f"Merge takes models and layers, it was given {branch!r}")
    if branch._begins is not None:
        return branch._begins.inputs, [branch._begins.output]
    if hasattr(type(branch), "inputs"):
        model: Any = branch
        if model.built:
            return model.inputs, model.outputs
    elif branch.inbound_nodes:
        return as_list(branch.get_input_at(0)), as_list(branch.get_output_at(0))
    elif branch._batch_input_shape is not None:
        shape, dtype = branch._batch_input_shape, branch._input_dtype()
        start = Input(batch_shape=shape, dtype=dtype, name=f"{branch.name}_input")
        return [start], as_list(branch(start))
    raise ValueError(
        f"Merge does not know the shape of the input of {branch.name}: give {branch.name}, or its first layer, an "
        "input_shape"
    )


def merge(inputs: Sequence[Any], mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1, **others: Any) -> Any:
    """Keras 1's merge of tensors; modes and errors are those of :func:`Merge`.

    Args:
        inputs: a list of tensors.
        mode, concat_axis, dot_axes: as :class:`Merge` takes them.
        **others: other arguments of :class:`Merge`.

    >>> import warnings
    >>> from kbackend import Input
    >>> from kbackend.layers.legacy import merge
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     merge([Input((3,)), Input((3,))], mode="sum").shape
    (None, 3)
    """
    return Merge(None, mode, concat_axis, dot_axes, **others)(list(inputs))


def _warn(message: str) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=4)



__all__ = ["Merge", "merge"]
