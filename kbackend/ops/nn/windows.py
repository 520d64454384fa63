"""Attributes and shape rules that convolution and pooling share."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.transpose import permute_dimensions


def integers(label: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """One integer for each of ``rank`` spatial dimensions; a single one is repeated.

    Raises:
        ValueError: another number of them, or one that is no integer or below ``least``.
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


def _spatial(
    x: TensorSpec, window: Sequence[int | None], strides: Any, padding: Any, dilation: Any
) -> tuple[Any, ...]:
    pairs = (None,) * len(window) if padding == "same" else padding
    return tuple(map(_out_size, x.shape[1:-1], window, strides, pairs, dilation))


def spatial_rank(specs: Sequence[Any]) -> int:
    rank = specs[0].ndim - 2
    if not 1 <= rank <= 3:
        raise ValueError("x needs one to three spatial dimensions beside batch and channels, "
                         f"its shape is {specs[0].shape}")
    return rank


def float_only(x: TensorSpec) -> None:
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"a float tensor is needed, not {x.dtype}; cast it first")


def channels_last(x: Any, data_format: str | None) -> tuple[Any, bool]:
    """``x`` with channels last, and whether it had them first."""
    first = config.normalize_data_format(data_format) == "channels_first"
    return (permute_dimensions(x, (0, *range(2, len(x.shape)), 1)) if first else x), first


def restored(y: Any, first: bool) -> Any:
    rank = len(y.shape)
    return permute_dimensions(y, (0, rank - 1, *range(1, rank - 1))) if first else y


def check_rank(x: Any, rank: int) -> None:
    if len(x.shape) != rank + 2:
        raise ValueError(f"x needs {rank + 2} dimensions, its shape is {tuple(x.shape)}")


def known_size(what: str, kernel: Any, dimension: int | None) -> int:
    if dimension is None:
        raise ValueError(f"{what} needs a kernel of known shape, it is {tuple(kernel.shape)}")
    return dimension
