"""What a layer requires of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.naming import described


class InputSpec:
    """Requirements on one input of a layer; None means any.

    Args:
        dtype: the dtype.
        shape: the shape, None for free dimensions.
        ndim, min_ndim, max_ndim: the rank.
        axes: axis -> size.
        allow_last_axis_squeeze: whether with ``shape`` a last dimension of 1 may be there or not.
        name: the name of the input, for the user's own use.
        optional: whether None may be given instead, for the user's own use.

    >>> from kbackend import Input, layers
    >>> layer = layers.Identity()
    >>> layer.input_spec = layers.InputSpec(ndim=2)
    >>> layer(Input((3,))).shape
    (None, 3)
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional

    def fault(self, tensor: Tensor) -> str | None:
        """What is wrong with the tensor, as the end of "expects ...", or None."""
        shape = self._squeezed(tensor.shape)
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return f"rank {self.ndim}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"rank {self.min_ndim} or more"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"rank {self.max_ndim} or less"
        if self.dtype is not None and tensor.dtype != self.dtype:
            return f"dtype {self.dtype}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] is not None and shape[axis] != size:
                return f"size {size} along axis {axis}"
        if self.shape is not None and any(
            w is not None and g is not None and w != g for w, g in zip(self.shape, shape)
        ):
            return f"shape {self.shape}"
        return None

    def _squeezed(self, shape: Sequence[int | None]) -> Sequence[int | None]:
        """The shape with a last dimension of 1 more or less, where that is allowed and makes the rank fit."""
        if not self.allow_last_axis_squeeze or self.shape is None:
            return shape
        if len(shape) == len(self.shape) + 1 and shape[-1] == 1:
            return shape[:-1]
        return (*shape, 1) if len(shape) + 1 == len(self.shape) and self.shape[-1] == 1 else shape

    def __repr__(self) -> str:
        given = {k: v for k, v in vars(self).items() if v not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in given.items())})"


def check_inputs(layer: Any, tensors: Sequence[Tensor]) -> None:
    """Compare a layer's inputs with its ``input_spec``.

    Raises:
        ValueError: too many or too few inputs, another rank, shape or dtype; the message names layer and
            shapes.
    """
    if layer.input_spec is None:
        return
    specs = layer.input_spec if isinstance(layer.input_spec, (list, tuple)) else [layer.input_spec]
    if len(specs) != len(tensors):
        raise ValueError(
            f"{described(layer)} expects {len(specs)} input{'s' * (len(specs) != 1)}, it was given {len(tensors)}: "
            f"{shapes_text(tensors)}"
        )
    for position, (spec, tensor) in enumerate(zip(specs, tensors)):
        fault = spec.fault(tensor) if spec is not None else None
        if fault:
            which = f"input {position} " if len(specs) > 1 else "an input "
            raise ValueError(
                f"{described(layer)} expects {which}of {fault}, it was given {tensor.name!r} of shape {tensor.shape} "
                f"and dtype {tensor.dtype}"
            )


def shapes_text(tensors: Sequence[Tensor]) -> str:
    """Names and shapes for a message."""
    return ", ".join(f"{t.name!r} {t.shape}" for t in tensors) or "none"
