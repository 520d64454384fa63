"""Convolution and pooling over one to three spatial dimensions.

The ops work on channels-last tensors ``(batch, *spatial, channels)``; the functions of K transpose where the
data format is channels_first. Padding is 'valid' (none), 'same' (the output has ``ceil(size / stride)``
positions and the odd pad goes to the end) or a pair (before, after) for each spatial dimension.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise, shaping
from kbackend.ops.declare import TensorLike, derived, primitive
from kbackend.ops.sample import In, Sample, call

Pairs = tuple[tuple[int, int], ...]


# ------------------------------------------------------------------------------------- attributes


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


def same_pairs(
    sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """The pairs that 'same' stands for. An odd total has its extra element at the end.

    >>> same_pairs((6,), (3,), (2,), (1,))
    ((0, 1),)
    """
    totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
              for n, k, s, d in zip(sizes, window, strides, dilation)]
    return tuple((total // 2, total - total // 2) for total in totals)


def window_counts(size: int, window: int, stride: int, pair: tuple[int, int], out: int) -> np.ndarray:
    """How many elements that are not padding each window holds, along one dimension."""
    starts = np.arange(out) * stride - pair[0]
    return np.minimum(starts + window, size) - np.maximum(starts, 0)


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


def only_batch_empty(x: TensorSpec, kernel: TensorSpec | None = None) -> None:
    """Raise ValueError where another axis than that of the batch is known to have no elements (docs/semantics.md)."""
    for label, shape in (("x", x.shape[1:]), ("the kernel", () if kernel is None else kernel.shape)):
        if 0 in shape:
            whole = x.shape if label == "x" else shape
            raise ValueError(f"only the batch may be empty; {label} has the shape {whole}")


# ------------------------------------------------------------------------------------- convolution


def _convolution_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    return {
        "strides": integers("strides", attrs["strides"], rank),
        "padding": checked_padding(attrs["padding"], rank),
        "dilation": integers("dilation", attrs["dilation"], rank),
        "groups": integers("groups", attrs["groups"], 1)[0],
    }


def _convolution_samples() -> list[Sample]:
    ones = np.ones((1, 6, 1))
    return [
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), name="valid"),
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), In((4,)), name="bias"),
        call(In((2, 7, 6, 3)), In((3, 2, 3, 4)), strides=(2, 1), padding="same", name="same, strides"),
        call(In((2, 8, 9, 2)), In((3, 3, 2, 3)), strides=2, padding=((2, 1), (0, 3)),
             name="pairs of paddings"),
        call(In((2, 9, 8, 2)), In((3, 2, 2, 3)), padding="same", dilation=(2, 3), name="dilation"),
        call(In((2, 9, 8, 2)), In((3, 2, 2, 3)), In((3,)), dilation=2, padding=((1, 0), (0, 0)),
             name="dilation, bias"),
        call(In((2, 5, 5, 4)), In((3, 3, 2, 6)), groups=2, padding="same", name="groups"),
        call(In((2, 5, 5, 3)), In((3, 3, 1, 6)), groups=3, strides=2, name="a group for each channel"),
        call(In((2, 9, 3)), In((4, 3, 2)), padding="same", name="one dimension"),
        call(In((2, 9, 3)), In((2, 3, 2)), In((2,)), dilation=2, strides=1, padding=((2, 0),), name="causal"),
        call(In((2, 5, 4, 6, 2)), In((3, 2, 2, 2, 3)), In((3,)), padding="same", strides=(1, 2, 2),
             name="three dimensions"),
        call(In((2, 5, 5, 3)), In((1, 1, 3, 4)), name="window of one"),
        call(In((1, 3, 1, 7, 2)), In((1, 1, 2, 2, 1)), strides=3, padding="same", name="strides wider than the window"),
        call(In((0, 5, 5, 3)), In((3, 3, 3, 4)), name="empty batch", dynamic=False),
        call(In((1, 6, 1), values=ones), In((3, 1, 1), values=np.arange(1.0, 4.0).reshape(3, 1, 1)),
             strides=2, padding="same", row=1, expect=np.array([6.0, 6.0, 3.0]).reshape(1, 3, 1),
             name="the odd pad goes to the end"),
        call(In((1, 5, 5, 3)), In((3, 3, 2, 4)), raises=ValueError, name="channels do not fit"),
        call(In((1, 2, 2, 3)), In((3, 3, 3, 4)), raises=ValueError, name="window does not fit"),
        call(In((1, 5, 5, 3)), In((3, 3, 3, 4)), padding="full", raises=ValueError, name="unknown padding"),
        call(In((2, 5, 5, 3)), In((3, 3, 3, 1)), name="one filter"),
        call(In((8, 8, 8, 2)), In((1, 1, 2, 4)), strides=2, name="window of one, strides, few channels"),
        call(In((2, 8, 4, 1)), In((3, 6, 1, 3)), In((3,)), strides=(1, 4), padding="same",
             name="one channel, one position"),
        call(In((3, 6, 1, 5)), In((2, 2, 5, 3)), In((3,)), strides=2, dilation=(1, 2), padding=((2, 2), (3, 3)),
             name="windows of padding alone"),
        call(In((2, 0, 6, 3)), In((3, 2, 3, 4)), padding="same", raises=ValueError, name="no rows"),
        call(In((2, 5, 6, 0)), In((3, 2, 0, 4)), raises=ValueError, name="no channels"),
        call(In((2, 5, 6, 3)), In((0, 2, 3, 4)), raises=ValueError, dynamic=False, name="no window"),
    ]


@primitive(promote="same", prepare=_convolution_attrs, tolerance="matmul", samples=_convolution_samples)
def convolution(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None, *, strides: Any = 1,
                padding: Any = "valid", dilation: Any = 1, groups: int = 1) -> TensorSpec:
    """Cross-correlation of ``x`` with ``kernel``, over one to three spatial dimensions.

    Args:
        x: ``(batch, *spatial, channels)``, floating.
        kernel: ``(*window, channels // groups, filters)``.
        bias: None or ``(filters,)``, added to the result.
        strides, dilation: one integer, or one for each spatial dimension.
        padding: 'valid', 'same', or a pair (before, after) for each spatial dimension.
        groups: channels and filters are cut into so many groups that do not see each other.

    Returns:
        ``(batch, *out, filters)``.

    Raises:
        ValueError: sizes that do not fit, with the sizes.
        TypeError: not floating.
    """
    float_only(x)
    if kernel.ndim != x.ndim:
        raise ValueError(f"the kernel {kernel.shape} must have the rank of x {x.shape}")
    only_batch_empty(x, kernel)
    channels, inputs, filters = x.shape[-1], kernel.shape[-2], kernel.shape[-1]
    if channels is not None and inputs is not None and channels != inputs * groups:
        raise ValueError(f"x has {channels} channels; the kernel {kernel.shape} in {groups} groups "
                         f"takes {inputs * groups}")
    if filters is not None and filters % groups:
        raise ValueError(f"{filters} filters cannot be cut into {groups} groups")
    if bias is not None and (bias.ndim != 1 or None not in (*bias.shape, filters) and bias.shape[0] != filters):
        raise ValueError(f"the bias {bias.shape} must have the shape ({filters},)")
    out = _spatial(x, kernel.shape[:-2], strides, padding, dilation)
    return TensorSpec((x.shape[0], *out, filters), x.dtype)


# ------------------------------------------------------------------------------------- pooling


def _pool_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    window = integers("the window", attrs["window"], rank)
    strides = window if attrs["strides"] is None else integers("strides", attrs["strides"], rank)
    return {"window": window, "strides": strides, "padding": checked_padding(attrs["padding"], rank)}


def _pooled(x: TensorSpec, window: Any, strides: Any, padding: Any) -> TensorSpec:
    float_only(x)
    only_batch_empty(x)
    out = _spatial(x, window, strides, padding, (1,) * len(window))
    if padding != "same":
        for n, k, s, (lo, hi), count in zip(x.shape[1:-1], window, strides, padding, out):
            if lo >= k or hi >= k or n is not None and count is not None and (count - 1) * s - lo >= n:
                raise ValueError(f"padding {padding} makes windows of {window} without elements of x {x.shape}")
    return TensorSpec((x.shape[0], *out, x.shape[-1]), x.dtype)


def _pool_samples(**row: Any) -> list[Sample]:
    def x(*shape: int) -> In:
        return In(shape, distinct=True)

    return [
        call(x(2, 6, 4, 3), window=2, strides=None, padding="valid", name="whole windows"),
        call(x(2, 7, 5, 3), window=(3, 2), strides=(2, 1), padding="valid", name="overlapping"),
        call(x(2, 7, 6, 2), window=3, strides=2, padding="same", name="same"),
        call(x(2, 5, 6, 2), window=2, strides=2, padding="same", name="same, the odd pad at the end"),
        call(x(1, 5, 6, 2), window=(3, 4), strides=(1, 2), padding=((2, 0), (1, 3)),
             name="pairs of paddings"),
        call(x(2, 9, 3), window=3, strides=2, padding="same", name="one dimension"),
        call(x(2, 4, 5, 6, 2), window=2, strides=2, padding="same", name="three dimensions"),
        call(In((0, 4, 4, 2)), window=2, strides=2, padding="valid", name="empty batch", dynamic=False),
        call(In((2, 4)), window=2, strides=1, padding="valid", raises=ValueError,
             name="no spatial dimension"),
        call(In((2, 2, 2, 1)), window=3, strides=1, padding="valid", raises=ValueError,
             name="window does not fit"),
        call(In((2, 4, 4, 1)), window=2, strides=1, padding=((2, 0), (0, 0)), raises=ValueError,
             name="only padding"),
        call(x(1, 3, 2, 3, 2), window=(1, 3, 1), strides=(2, 1, 1), padding="same", name="larger than the volume"),
        call(In((2, 0, 4, 1)), window=2, strides=1, padding="same", raises=ValueError, name="no rows"),
    ]


def _max_pool_samples() -> list[Sample]:
    nan, inf = np.nan, np.inf
    with_nan = np.array([[1.0, nan, 2.0, 3.0, nan, nan, -inf, -inf, inf, -inf, 4.0, inf]]).reshape(1, 12, 1)
    ties = np.array([1.0, 1.0, 0.0, 0.0, 3.0, 2.0]).reshape(1, 6, 1)
    return [
        *_pool_samples(),
        call(In((1, 12, 1), values=with_nan), window=2, strides=2, padding="valid", row=5, gradient=False,
             dynamic=False, expect=np.array([nan, 3.0, nan, -inf, inf, inf]).reshape(1, 6, 1),
             name="NaN and infinities"),
        call(In((1, 12, 1, 1), values=with_nan.reshape(1, 12, 1, 1)), window=(3, 1), strides=(3, 1),
             padding="same", row=5, gradient=False, dynamic=False,
             expect=np.array([nan, nan, inf, inf]).reshape(1, 4, 1, 1), name="NaN in two dimensions"),
        call(In((1, 6, 1), values=ties), window=2, strides=2, padding="valid", name="ties: the first",
             expect_gradient=np.array([1.0, 0, 1, 0, 1, 0]).reshape(1, 6, 1), dynamic=False),
    ]


@primitive(prepare=_pool_attrs, tolerance="exact", samples=_max_pool_samples)
def max_pool(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The largest element of each window of ``(batch, *spatial, channels)``; NaN where it holds one.

    Args:
        window, strides: one integer, or one for each spatial dimension; ``strides`` None: the window.
        padding: 'valid', 'same' or pairs; padding is never chosen.

    The gradient goes to the first of the largest elements.
    """
    return _pooled(x, window, strides, padding)


@primitive(prepare=_pool_attrs, tolerance="reduction", samples=lambda: [
    *_pool_samples(),
    call(In((1, 3, 1), values=np.array([1.0, 3.0, 2.0]).reshape(1, 3, 1)), window=2, strides=2,
         padding="same", row=2, expect=np.array([2.0, 2.0]).reshape(1, 2, 1), dynamic=False,
         name="padding is not counted")])
def avg_pool(x: TensorLike, *, window: Any, strides: Any = None, padding: Any = "valid") -> TensorSpec:
    """The mean of each window of ``(batch, *spatial, channels)``; padding does not count.

    See :func:`max_pool`.
    """
    return _pooled(x, window, strides, padding)


# ------------------------------------------------------------------------------------- functions of K


def channels_last(x: Any, data_format: str | None) -> tuple[Any, bool]:
    """``x`` with channels last, and whether it had them first."""
    first = config.normalize_data_format(data_format) == "channels_first"
    return (shaping.permute_dimensions(x, (0, *range(2, len(x.shape)), 1)) if first else x), first


def restored(y: Any, first: bool) -> Any:
    rank = len(y.shape)
    return shaping.permute_dimensions(y, (0, rank - 1, *range(1, rank - 1))) if first else y


def check_rank(x: Any, rank: int) -> None:
    if len(x.shape) != rank + 2:
        raise ValueError(f"x needs {rank + 2} dimensions, its shape is {tuple(x.shape)}")


def known_size(what: str, kernel: Any, dimension: int | None) -> int:
    if dimension is None:
        raise ValueError(f"{what} needs a kernel of known shape, it is {tuple(kernel.shape)}")
    return dimension


def _convolve(x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any, rank: int,
              groups: int = 1, bias: Any = None) -> Any:
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, rank)
    x, first = channels_last(x, data_format)
    if padding == "causal" and rank == 1:
        window = known_size("a causal convolution", kernel, kernel.shape[0])
        padding = ((integers("dilation", dilation, 1)[0] * (window - 1), 0),)
    elif padding == "causal":
        raise ValueError("unknown padding 'causal'; it is for one spatial dimension only")
    y = convolution(x, kernel, bias, strides=strides, padding=padding, dilation=dilation, groups=groups)
    return restored(y, first)


@derived(samples=lambda: [call(In((2, 9, 3)), In((3, 3, 2)), 1, "causal", dilation_rate=2, dynamic=False),
                          call(In((2, 3, 9)), In((3, 3, 2)), 2, "same", "channels_first")])
def conv1d(x: TensorLike, kernel: TensorLike, strides: Any = 1, padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Convolution over one spatial dimension.

    Args:
        x: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for 'channels_first'.
        kernel: ``(window, channels, filters)``.
        strides, dilation_rate: integers.
        padding: 'valid', 'same', or 'causal' (a result sees no later step).
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: an unknown padding or data format, sizes that do not fit.
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 1)


@derived(samples=lambda: [call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), (2, 1), "same"),
                          call(In((2, 3, 5, 6)), In((3, 3, 3, 2)), 1, "same", "channels_first"),
                          call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), 1, "causal", raises=ValueError)])
def conv2d(x: TensorLike, kernel: TensorLike, strides: Any = (1, 1), padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = (1, 1)) -> Any:
    """Convolution over two spatial dimensions.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        kernel: ``(rows, columns, channels, filters)``.
        strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'; the odd pad of 'same' goes to the end.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: an unknown padding or data format, sizes that do not fit.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.conv2d(np.ones((1, 3, 3, 1), "float32"), np.ones((2, 2, 1, 1), "float32"))
    >>> K.eval(y)[0, :, :, 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 2)


@derived(samples=lambda: [call(In((2, 4, 5, 6, 2)), In((2, 3, 2, 2, 3)), 1, "same")])
def conv3d(x: TensorLike, kernel: TensorLike, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str | None = None, dilation_rate: Any = (1, 1, 1)) -> Any:
    """Convolution over three spatial dimensions; ``kernel`` is ``(*window, channels, filters)``.

    See :func:`conv2d`.
    """
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 3)


def _depthwise(
    x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any, rank: int
) -> Any:
    *window, channels, multiplier = (known_size("a depthwise convolution", kernel, d) for d in kernel.shape)
    taps = shaping.reshape(kernel, (*window, 1, channels * multiplier))
    return _convolve(x, taps, strides, padding, data_format, dilation, rank, groups=channels)


@derived(samples=lambda: [call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), 1, "same", dynamic=False)])
def depthwise_conv2d(x: TensorLike, depthwise_kernel: TensorLike, strides: Any = (1, 1),
                     padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = (1, 1)) -> Any:
    """A convolution of each channel by itself.

    The kernel is ``(rows, columns, channels, multiplier)``; channel c gives the results ``c * multiplier``
    and following. See :func:`conv2d`.
    """
    return _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 2)


@derived(samples=lambda: [call(In((2, 9, 3)), In((3, 3, 2)), In((1, 6, 4)), dynamic=False)])
def separable_conv1d(x: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike,
                     strides: Any = 1, padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = 1) -> Any:
    """A depthwise convolution over one dimension and then one with a window of 1 over all its channels."""
    y = _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 1)
    return _convolve(y, pointwise_kernel, 1, "valid", data_format, 1, 1)


@derived(samples=lambda: [
    call(In((2, 5, 6, 3)), In((3, 3, 3, 2)), In((1, 1, 6, 4)), 2, "same", dynamic=False)])
def separable_conv2d(x: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike,
                     strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
                     dilation_rate: Any = (1, 1)) -> Any:
    """A depthwise convolution over two dimensions and then one with a window of 1 over all its channels."""
    y = _depthwise(x, depthwise_kernel, strides, padding, data_format, dilation_rate, 2)
    return _convolve(y, pointwise_kernel, 1, "valid", data_format, 1, 2)


def _pool(x: Any, window: Any, strides: Any, padding: Any, data_format: Any, mode: str, rank: int) -> Any:
    if mode not in ("max", "avg"):
        raise ValueError(f"unknown pool_mode {mode!r}; choose 'max' or 'avg'")
    x = x if hasattr(x, "shape") else np.asarray(x)
    check_rank(x, rank)
    x, first = channels_last(x, data_format)
    pool = max_pool if mode == "max" else avg_pool
    return restored(pool(x, window=window, strides=strides, padding=padding), first)


@derived(samples=lambda: [call(In((2, 5, 6, 3), distinct=True), (2, 2), (2, 2), "same"),
                          call(In((2, 3, 5, 6)), 2, 1, "valid", "channels_first", "avg"),
                          call(In((2, 5, 6, 3)), 2, 1, "valid", None, "sum", raises=ValueError)])
def pool2d(x: TensorLike, pool_size: Any, strides: Any = (1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """The largest element or the mean of each window of rows and columns.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        pool_size, strides: an integer or two.
        padding: 'valid' or 'same'; padding is never chosen and does not count.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
        pool_mode: 'max' (NaN where the window holds one) or 'avg'.

    Raises:
        ValueError: an unknown padding, data format or mode; sizes that do not fit.
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 2)


@derived(samples=lambda: [call(In((2, 4, 5, 6, 2), distinct=True), 2, 2, "same")])
def pool3d(x: TensorLike, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str | None = None, pool_mode: str = "max") -> Any:
    """The largest element or the mean of each window of three spatial dimensions. See :func:`pool2d`."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, 3)


@derived(samples=lambda: [call(In((2, 3, 4)), In((4,))), call(In((2, 3, 4, 5)), In((3,)), "channels_first"),
                          call(In((2, 3, 4)), In((3, 4))), call(In((2, 3)), In((2,)), raises=ValueError)])
def bias_add(x: TensorLike, bias: TensorLike, data_format: str | None = None) -> Any:
    """Adds a bias to each position.

    Args:
        x: ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        bias: ``(channels,)``, or ``(*spatial, channels)`` with spatial dimensions as ``x`` has them.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: an unknown data format, or shapes that do not fit.
    """
    first = config.normalize_data_format(data_format) == "channels_first" and len(x.shape) > 2
    rank = len(bias.shape)
    if rank not in (1, len(x.shape) - 1):
        raise ValueError(f"a bias for x of shape {tuple(x.shape)} has rank 1 or {len(x.shape) - 1}, "
                         f"not the shape {tuple(bias.shape)}")
    channels = x.shape[1 if first else -1]
    if None not in (channels, bias.shape[-1]) and channels != bias.shape[-1]:
        raise ValueError(f"x of shape {tuple(x.shape)} has {channels} channels, the bias {tuple(bias.shape)}")
    if not first:
        return elementwise.add(x, bias)
    if rank == 1:
        return elementwise.add(x, shaping.reshape(bias, (-1, *(1,) * (len(x.shape) - 2))))
    return elementwise.add(x, shaping.permute_dimensions(bias, (rank - 1, *range(rank - 1))))
