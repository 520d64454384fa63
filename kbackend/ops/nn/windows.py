"""Attributes, shape rules and layouts that convolution, pooling and image ops share."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.transpose import permute_dimensions


def integers(label: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """An attribute as one integer for each of ``rank`` spatial dimensions; a single integer is repeated.

    Raises:
        ValueError: another number of values, or a value that is not an integer or is below ``least``.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    try:
        found = tuple(operator.index(v) for v in given)
    except TypeError:
        raise ValueError(f"{label} must hold integers, it is {value!r}") from None
    if len(found) != rank or any(v < least for v in found):
        raise ValueError(f"{label} must hold {rank} integers of at least {least}, it is {value!r}")
    return found


def checked_padding(value: Any, rank: int, allowed: Sequence[str] = ("valid", "same")) -> Any:
    """The attribute ``padding`` in canonical form: 'same', or a pair (before, after) for each spatial dimension.

    Raises:
        ValueError: an unknown name, or pairs that are not ``rank`` pairs of nonnegative integers.
    """
    if isinstance(value, str):
        if value not in allowed:
            raise ValueError(f"unknown padding {value!r}; choose {' or '.join(map(repr, allowed))}")
        return ((0, 0),) * rank if value == "valid" else value
    pairs = tuple(value)
    if len(pairs) != rank:
        raise ValueError(f"padding must hold a pair for each of {rank} spatial dimensions, it is {value!r}")
    return tuple(integers("a pair of paddings", pair, 2, least=0) for pair in pairs)


def _out_size(size: int | None, window: int | None, stride: int, pair: Any, dilation: int) -> int | None:
    if size is None:
        return None
    if pair is None:
        return -(-size // stride)
    if window is None:
        return None
    out = (size + pair[0] + pair[1] - (window - 1) * dilation - 1) // stride + 1
    if out < 1:
        raise ValueError(f"a window of {window} with dilation {dilation} does not fit a dimension of size "
                         f"{size} padded by {pair}")
    return out


def spatial_sizes(
    x: TensorSpec, window: Sequence[int | None], strides: Any, padding: Any, dilation: Any
) -> tuple[Any, ...]:
    """The number of positions of a window in each spatial dimension of channels-last ``x``; None where unknown.

    Raises:
        ValueError: a window larger than a padded dimension.
    """
    pairs = (None,) * len(window) if padding == "same" else padding
    return tuple(map(_out_size, x.shape[1:-1], window, strides, pairs, dilation))


def spatial_rank(specs: Sequence[Any]) -> int:
    """The number of spatial dimensions of the first operand, ``(batch, *spatial, channels)``.

    Raises:
        ValueError: none, or more than three.
    """
    rank = specs[0].ndim - 2
    if not 1 <= rank <= 3:
        raise ValueError("x needs one to three spatial dimensions beside batch and channels, "
                         f"its shape is {specs[0].shape}")
    return rank


def spatial_rank_of(x: Any) -> int:
    """The number of spatial dimensions of a tensor, array or nested list.

    Raises:
        ValueError: none, or more than three.
    """
    rank = len(np.shape(x) if not hasattr(x, "shape") else x.shape) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"x needs one to three spatial dimensions beside batch and channels, its rank is {rank + 2}")
    return rank


def float_only(x: TensorSpec) -> None:
    """Refuse operands that are not floats.

    Raises:
        TypeError: another dtype.
    """
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"a float tensor is needed, not {x.dtype}; cast it first")


def only_batch_empty(x: TensorSpec, kernel: TensorSpec | None = None) -> None:
    """Refuse operands of which another axis than that of the batch is known to have no elements (docs/semantics.md).

    Raises:
        ValueError: such an axis.
    """
    for label, shape in (("x", x.shape[1:]), ("the kernel", () if kernel is None else kernel.shape)):
        if 0 in shape:
            whole = x.shape if label == "x" else shape
            raise ValueError(f"only the batch may be empty; {label} has the shape {whole}")


def channels_last(x: Any, data_format: str | None) -> tuple[Any, bool]:
    """``x`` with channels last, and whether its format is channels_first."""
    first = config.normalize_data_format(data_format) == "channels_first"
    return (permute_dimensions(x, (0, *range(2, len(x.shape)), 1)) if first else x), first


def restored(y: Any, first: bool) -> Any:
    """``y``, which has channels last, in the format channels_first if ``first``."""
    rank = len(y.shape)
    return permute_dimensions(y, (0, rank - 1, *range(1, rank - 1))) if first else y


def on_last_axis(x: Any, axis: int, body: Callable[[Any], Any]) -> Any:
    """``body(x)`` with an axis moved to the end for it, and back afterwards."""
    rank = len(x.shape)
    result = body(permute_dimensions(x, [a for a in range(rank) if a != axis] + [axis]))
    return permute_dimensions(result, [*range(axis), rank - 1, *range(axis, rank - 1)])


def with_shape(x: Any) -> Any:
    """``x`` itself if it has a shape, else an array of it."""
    return x if hasattr(x, "shape") else np.asarray(x)


def check_rank(x: Any, rank: int) -> None:
    """Check that ``x`` has ``rank`` spatial dimensions beside batch and channels.

    Raises:
        ValueError: another rank.
    """
    if len(x.shape) != rank + 2:
        raise ValueError(f"x needs {rank + 2} dimensions, its shape is {tuple(x.shape)}")


def known_size(what: str, kernel: Any, dimension: int | None) -> int:
    """A dimension of a kernel.

    Raises:
        ValueError: it is unknown.
    """
    if dimension is None:
        raise ValueError(f"{what} needs a kernel of known shape, it is {tuple(kernel.shape)}")
    return dimension
