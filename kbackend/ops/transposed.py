"""Transposed convolution: the gradient of a convolution with respect to its input, as an operation of its own.

The size of the result is given, since several sizes lead a convolution to the same number of positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import shaping
from kbackend.ops.convolution import (
    channels_last,
    check_rank,
    checked_padding,
    convolution,
    float_only,
    integers,
    known_size,
    only_batch_empty,
    restored,
    spatial_rank,
)
from kbackend.ops.declare import TensorLike, TensorList, composite, derived
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.indexing import getitem
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.sizes import check_sizes, entries, split_entries

# ------------------------------------------------------------------------------------- one dimension


class Axis(NamedTuple):
    """One spatial dimension of the convolution that is transposed.

    Attributes:
        window, stride, dilation: as of the convolution.
        pair: its paddings (before, after), or None for 'same'.
    """

    window: int
    stride: int
    dilation: int
    pair: tuple[int, int] | None

    @property
    def reach(self) -> int:
        """How many elements the window spans."""
        return (self.window - 1) * self.dilation + 1

    def covered(self, positions: int) -> int:
        """How many elements so many positions of the window span."""
        return (positions - 1) * self.stride + self.reach

    def usual(self, positions: Any) -> Any:
        """The size of the result that Keras's layers choose, for a number of positions or a tensor of one."""
        padded = 0 if self.pair is None else max(self.reach - self.stride, 0) - sum(self.pair)
        if isinstance(positions, int):
            return positions * self.stride + padded
        return e.add(e.multiply(positions, self.stride), padded)

    def pads(self, positions: int, size: int) -> tuple[int, int]:
        """The paddings with which the convolution takes ``size`` elements to so many positions.

        Raises:
            ValueError: it takes them to another number.
        """
        if self.pair is None:
            total = max(self.covered(positions) - size, 0)
            fits, pair = size > 0 and -(-size // self.stride) == positions, (total // 2, total - total // 2)
        else:
            rest = size + sum(self.pair) - self.covered(positions)
            fits, pair = size > 0 and 0 <= rest < self.stride, self.pair
        if not fits:
            raise ValueError(self._misfit(positions, size))
        return pair

    def _misfit(self, positions: int, size: int) -> str:
        least = (positions - 1) * self.stride + 1 if self.pair is None else self.covered(positions) - sum(self.pair)
        padding = "padding 'same'" if self.pair is None else f"padding {self.pair}"
        return (f"an output size of {size} does not fit {positions} positions of a window of {self.window} with stride "
                f"{self.stride}, dilation {self.dilation} and {padding}: it must be in "
                f"[{max(least, 1)}, {least + self.stride - 1}]")


def axes_of(window: Sequence[int], strides: Sequence[int], padding: Any, dilation: Sequence[int]) -> list[Axis]:
    """One Axis for each spatial dimension."""
    pairs = (None,) * len(window) if padding == "same" else padding
    return [Axis(*parts) for parts in zip(window, strides, dilation, pairs)]


# ------------------------------------------------------------------------------------- the op


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    size = tuple(attrs["size"])
    if len(size) != rank:
        raise ValueError(f"size must hold {rank} numbers, it is {attrs['size']!r}")
    return {
        "size": size,
        "batch": attrs["batch"],
        "strides": integers("strides", attrs["strides"], rank),
        "padding": checked_padding(attrs["padding"], rank),
        "dilation": integers("dilation", attrs["dilation"], rank),
    }


def _rule(x: TensorSpec, kernel: TensorSpec, sizes: Sequence[TensorSpec], *, size: Shape, batch: int | None,
          strides: Any, padding: Any, dilation: Any) -> TensorSpec:
    float_only(x)
    if kernel.ndim != x.ndim:
        raise ValueError(f"the kernel {kernel.shape} must have the rank of x {x.shape}")
    only_batch_empty(x, kernel)
    channels, filters, inputs = x.shape[-1], *kernel.shape[-2:]
    if None not in (channels, inputs) and channels != inputs:
        raise ValueError(f"x {x.shape} has {channels} channels, the kernel {kernel.shape} takes {inputs}")
    if None not in (x.shape[0], batch) and x.shape[0] != batch:
        raise ValueError(f"the output is to have a batch of {batch}, x {x.shape} has one of {x.shape[0]}")
    check_sizes(sizes, size)
    for axis, positions, wanted in zip(_axes(kernel, strides, padding, dilation), x.shape[1:-1], size):
        if positions is not None and wanted is not None:
            axis.pads(positions, wanted)
    return TensorSpec((x.shape[0] if batch is None else batch, *size, filters), x.dtype)


def _axes(kernel: Any, strides: Any, padding: Any, dilation: Any) -> list[Axis]:
    window = [known_size("a transposed convolution", kernel, d) for d in kernel.shape[:-2]]
    return axes_of(window, strides, padding, dilation)


def _samples() -> list[Sample]:
    def number(value: int) -> In:
        return In((), kind="int32", values=value)

    ones = In((3, 1, 1), values=np.ones((3, 1, 1)))
    three = In((1, 3, 1), values=np.arange(1.0, 4.0).reshape(1, 3, 1))
    return [
        call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), size=(5, 5), name="valid"),
        call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), size=(6, 7), strides=2, padding="same", name="same, strides"),
        call(In((2, 3, 4, 2)), In((3, 2, 3, 2)), size=(8, 11), strides=(2, 3), name="valid, strides"),
        call(In((2, 3, 4, 2)), In((3, 2, 3, 2)), size=(7, 16), strides=(2, 4), name="more than is covered"),
        call(In((2, 3, 2, 2)), In((2, 1, 3, 2)), size=(8, 9), strides=(3, 5), padding="same",
             name="strides longer than the window"),
        call(In((2, 4, 3, 2)), In((3, 3, 3, 2)), size=(6, 7), strides=2, padding=((2, 1), (0, 1)),
             name="pairs of paddings"),
        call(In((2, 4, 3, 2)), In((3, 3, 3, 2)), size=(9, 5), strides=2, padding=((1, 0), (2, 0)),
             name="pairs, the larger one first"),
        call(In((2, 5, 4, 2)), In((3, 2, 3, 2)), size=(10, 8), strides=2, padding="same", dilation=(2, 3),
             name="dilation"),
        call(In((2, 4, 3)), In((4, 2, 3)), size=(8,), strides=2, padding="same", name="one dimension"),
        call(In((2, 2, 3, 2, 2)), In((2, 3, 2, 3, 2)), size=(4, 3, 5), strides=(2, 1, 2), name="three dimensions",
             padding=((0, 0), (1, 1), (0, 0))),
        call(In((2, 2, 3, 2, 2)), In((3, 2, 1, 3, 2)), size=(4, 6, 3), strides=2, padding="same",
             name="three dimensions, same"),
        call(In((2, 3, 3, 2)), In((1, 1, 4, 2)), size=(3, 3), name="window of one"),
        call(In((2, 3, 4, 2)), In((3, 3, 1, 2)), [number(6), number(8)], size=(None, None), strides=2, padding="same",
             name="sizes that are tensors"),
        call(In((2, 3, 4, 2)), In((3, 3, 1, 2)), [number(9)], size=(8, None), strides=2, name="one size is a tensor"),
        call(In((2, 3, 2)), In((3, 1, 2)), size=(3,), padding="same", batch=2, name="a batch that is known"),
        call(In((2, 3, 3, 1)), In((2, 2, 3, 1)), size=(4, 4), name="one channel"),
        call(In((0, 3, 3, 2)), In((2, 2, 4, 2)), size=(4, 4), name="empty batch", dynamic=False),
        call(In((8, 4, 4, 3)), In((1, 1, 2, 3)), size=(8, 8), strides=2, name="window of one, strides, few filters"),
        call(In((1, 3, 1, 5)), In((5, 5, 1, 5)), size=(7, 7), strides=(1, 4), name="one filter, one position"),
        call(In((2, 0, 3, 2)), In((2, 2, 4, 2)), size=(1, 4), raises=ValueError, name="no rows"),
        call(three, ones, size=(6,), strides=2, padding="same", row=3,
             expect=np.array([1.0, 1, 3, 2, 5, 3]).reshape(1, 6, 1), name="the gradient of the convolution"),
        call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), size=(6, 6), raises=ValueError, name="size does not fit"),
        call(In((2, 3, 3)), In((3, 2, 3)), size=(7,), strides=2, padding="same", raises=ValueError,
             name="size does not fit, same"),
        call(In((2, 3, 3)), In((3, 2, 3)), [number(4)], size=(None,), strides=2, padding="same", raises=ValueError,
             name="a tensor that does not fit"),
        call(In((2, 3, 3)), In((3, 2, 3)), [number(4)], size=(None,), raises=ValueError, dynamic=False,
             name="a tensor that does not fit, valid"),
        call(In((2, 3, 3)), In((3, 2, 3)), size=(5, 5), raises=ValueError, name="too many sizes"),
        call(In((2, 3, 3)), In((3, 3, 2)), size=(5,), raises=ValueError, name="channels do not fit"),
        call(In((2, 3, 3)), In((3, 2, 3)), size=(5,), batch=3, raises=ValueError, name="another batch"),
        call(In((2, 3, 3)), In((3, 2, 3)), size=(5,), padding="causal", raises=ValueError, name="unknown padding"),
        call(In((2, 3, 3), 0, 9, kind="int32"), In((3, 2, 3), 0, 9, kind="int32"), size=(5,), raises=TypeError,
             name="integers"),
    ]


@composite(promote="same", promoted=("x", "kernel"), prepare=_attrs, rule=_rule, tolerance="matmul", samples=_samples)
def convolution_transpose(x: TensorLike, kernel: TensorLike, sizes: TensorList = (), *, size: Any,
                          batch: int | None = None, strides: Any = 1, padding: Any = "valid",
                          dilation: Any = 1) -> Any:
    """The gradient of a :func:`~kbackend.ops.convolution.convolution` with respect to its input.

    Args:
        x: ``(batch, *spatial, channels)``, floating: in the place of the gradient of the convolution's result.
        kernel: ``(*window, filters, channels)``, the kernel of the convolution, which takes filters to channels.
        sizes: integer scalars, one for each None in ``size``.
        size: the spatial size of the result; the convolution must take it to that of x.
        batch: the batch size of the result where it is known better than x's.
        strides, padding, dilation: those of the convolution.

    Returns:
        ``(batch, *size, filters)``.

    Raises:
        ValueError: sizes that do not fit, with the sizes that do.
        TypeError: not floating.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.arange(1.0, 4.0).reshape(1, 3, 1)
    >>> y = convolution_transpose(x, np.ones((3, 1, 1)), size=(6,), strides=2, padding="same")
    >>> K.eval(y).ravel().tolist()
    [1.0, 1.0, 3.0, 2.0, 5.0, 3.0]
    """
    axes = _axes(kernel, strides, padding, dilation)
    rest = iter(sizes)
    wanted = [next(rest) if n is None else n for n in size]
    places = [_place(axis, _size(x, 1 + a), n) for a, (axis, n) in enumerate(zip(axes, wanted))]
    reaches = [(axis.reach - 1,) * 2 for axis in axes]
    rank = len(axes)
    spread = shaping.pad(_spread(_pinned(x, batch), strides), ((0, 0), *reaches, (0, 0)))
    order = (*range(rank), rank + 1, rank)
    taps = shaping.permute_dimensions(shaping.reverse(kernel, tuple(range(rank))), order)
    y = convolution(spread, taps, dilation=dilation)
    parts = [slice(start, e.add(start, n) if isinstance(start, Tensor) or isinstance(n, Tensor) else start + n)
             for start, n in places]
    return getitem(y, (slice(None), *parts))


def _size(x: Any, axis: int) -> Any:
    return shaping.extent(x, (axis,)) if x.shape[axis] is None else x.shape[axis]


def _place(axis: Axis, positions: Any, size: Any) -> tuple[Any, Any]:
    """Where the result begins in what the positions cover, and how long it is."""
    size = size if isinstance(size, (int, Tensor)) else int(to_numpy(size))
    if isinstance(positions, int) and isinstance(size, int):
        return axis.pads(positions, size)[0], size
    if axis.pair is not None:
        return axis.pair[0], size
    covered = e.add(e.multiply(e.subtract(positions, 1), axis.stride), axis.reach)
    return e.floor_divide(e.maximum(e.subtract(covered, size), 0), 2), size


def _pinned(x: Any, batch: int | None) -> Any:
    """``x`` with its batch size."""
    if batch is None or x.shape[0] is not None:
        return x
    return shaping.reshape(x, [batch, *(_size(x, a) for a in range(1, len(x.shape)))])


def _spread(x: Any, strides: Sequence[int]) -> Any:
    """``x`` with zeros behind each element, so that the next one follows after a stride."""
    for axis, stride in enumerate(strides, start=1):
        if stride > 1:
            shape = [_size(x, a) for a in range(len(x.shape))]
            longer = shaping.extent(x, (axis,)) if isinstance(shape[axis], Tensor) else shape[axis]
            shape[axis] = e.multiply(longer, stride) if isinstance(longer, Tensor) else longer * stride
            pairs = [(0, 0)] * (len(shape) + 1)
            pairs[axis + 1] = (0, stride - 1)
            x = shaping.reshape(shaping.pad(shaping.expand_dims(x, axis + 1), tuple(pairs)), shape)
    return x


# ------------------------------------------------------------------------------------- functions of K


def _wanted(output_shape: Any, rank: int, first: bool) -> list[Any]:
    """The entries of an output shape with channels last: ints, symbolic scalars, or None."""
    if isinstance(output_shape, (tuple, list)):
        found = [None if d is None else entries([d])[0] for d in output_shape]
    else:
        found = list(entries(output_shape))
    if len(found) != rank + 2:
        raise ValueError(f"output_shape must hold {rank + 2} sizes, it is {output_shape!r}")
    if any(isinstance(d, int) and d < 0 for d in found):
        raise ValueError(f"output_shape holds a negative size: {output_shape!r}")
    return [found[0], *found[2:], found[1]] if first else found


def _transposed(x: Any, kernel: Any, output_shape: Any, strides: Any, padding: Any, data_format: Any, dilation: Any,
                rank: int) -> Any:
    x, kernel = (t if hasattr(t, "shape") else np.asarray(t) for t in (x, kernel))
    check_rank(x, rank)
    check_rank(kernel, rank)
    x, first = channels_last(x, data_format)
    batch, *spatial, filters = _wanted(output_shape, rank, first)
    if isinstance(filters, int) and kernel.shape[-2] not in (None, filters):
        raise ValueError(f"output_shape {output_shape!r} asks for {filters} channels, the kernel "
                         f"{tuple(kernel.shape)} gives {kernel.shape[-2]}")
    strides, dilation = integers("strides", strides, rank), integers("dilation_rate", dilation, rank)
    if None in spatial:
        axes = _axes(kernel, strides, checked_padding(padding, rank), dilation)
        spatial = [axis.usual(_size(x, 1 + a)) if n is None else n for a, (axis, n) in enumerate(zip(axes, spatial))]
    sizes, size = split_entries(spatial)
    y = convolution_transpose(x, kernel, sizes, size=size, batch=batch if isinstance(batch, int) else None,
                              strides=strides, padding=padding, dilation=dilation)
    return restored(y, first)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3, 3)), In((3, 2, 3)), (2, 6, 2), 2, "same", dynamic=False),
    call(In((2, 3, 3)), In((3, 2, 3)), (None, 2, 7), 2, "valid", "channels_first"),
    call(In((2, 3, 3)), In((3, 2, 3)), (None, 7, 2), dilation_rate=2, name="dilation")])
def conv1d_transpose(x: TensorLike, kernel: TensorLike, output_shape: Any, strides: Any = 1, padding: str = "valid",
                     data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """The transpose of a convolution over one spatial dimension; ``kernel`` is ``(window, filters, channels)``.

    See :func:`conv2d_transpose`.
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate, 1)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), (2, 6, 8, 2), (2, 2), "same", dynamic=False, name="same"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (None, 5, 5, 2), name="any batch"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (None, None, None, None), 2, "same", name="usual sizes"),
    call(In((2, 3, 4, 3)), In((3, 1, 2, 3)), (None, None, None, 2), (1, 2), name="usual sizes, valid"),
    call(In((2, 3, 3, 4)), In((3, 3, 2, 3)), (None, 2, 5, 8), (2, 2), "same", "channels_first", dynamic=False,
         name="channels_first"),
    call(In((2, 3, 4, 3)), In((3, 3, 2, 3)), (None, 7, 8, 2), dilation_rate=(2, 2), name="dilation"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), In((4,), kind="int32", values=[2, 5, 5, 2]), dynamic=False,
         name="a vector"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (None, 5, 7, 2), raises=ValueError, name="size does not fit"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (None, 5, 5, 3), raises=ValueError, name="channels do not fit"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (5, 5, 2), raises=ValueError, name="three sizes"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (2, -5, 5, 2), raises=ValueError, name="negative size"),
    call(In((2, 3, 4)), In((3, 2, 3)), (None, 5, 2), raises=ValueError, name="rank"),
    call(In((2, 3, 4, 3)), In((3, 2, 2, 3)), (None, 5, 5, 2), data_format="last", raises=ValueError,
         name="unknown data format")])
def conv2d_transpose(x: TensorLike, kernel: TensorLike, output_shape: Any, strides: Any = (1, 1),
                     padding: str = "valid", data_format: str | None = None, dilation_rate: Any = (1, 1)) -> Any:
    """The transpose of a convolution over two spatial dimensions: its gradient with respect to its input.

    Args:
        x: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        kernel: ``(rows, columns, filters, channels)``.
        output_shape: the shape of the result in the order of the data format: ints, integer scalars, or one integer
            vector such as ``K.shape(y)``. None for the batch stands for that of x, None for a spatial size for the
            one that Keras's layers choose: ``n * stride`` for 'same', ``n * stride + max(window - stride, 0)`` for
            'valid'.
        strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Raises:
        ValueError: an output shape that the convolution does not take to that of x, with the sizes that it does; a
            rank, padding or data format that is none.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.conv2d_transpose(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), (1, 3, 3, 1))
    >>> K.eval(y)[0, :, :, 0].tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate, 2)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 2, 3, 2, 3)), In((2, 3, 2, 2, 3)), (2, 4, 6, 4, 2), (2, 2, 2), "same", dynamic=False),
    call(In((2, 3, 2, 2, 2)), In((2, 2, 2, 1, 3)), (None, 1, 3, 3, 3), data_format="channels_first",
         name="channels_first"),
    call(In((2, 2, 3, 2, 3)), In((2, 3, 2, 2, 3)), (None, 4, 6, 9, 2), 2, "same", raises=ValueError)])
def conv3d_transpose(x: TensorLike, kernel: TensorLike, output_shape: Any, strides: Any = (1, 1, 1),
                     padding: str = "valid", data_format: str | None = None) -> Any:
    """The transpose of a convolution over three spatial dimensions; ``kernel`` is ``(*window, filters, channels)``.

    See :func:`conv2d_transpose`.
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 1, 3)


__all__ = ["Axis", "axes_of", "conv1d_transpose", "conv2d_transpose", "conv3d_transpose", "convolution_transpose"]
