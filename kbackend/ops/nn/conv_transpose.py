"""Transposed convolution: the gradient of a convolution with respect to its input, as an op.

The size of the result is an attribute, because inputs of several sizes have the same number of positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.arrays.dims import length, lengths
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import expand_dims, reshape
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries
from kbackend.ops.arrays.transpose import permute_dimensions, reverse
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.nn.conv import convolution
from kbackend.ops.nn.windows import (
    channels_last,
    check_rank,
    checked_padding,
    float_only,
    integers,
    known_size,
    only_batch_empty,
    restored,
    spatial_rank,
    with_shape,
)
from kbackend.plugin.geometry import Axis, axes_of


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
        raise ValueError(f"the output has a batch of {batch}, x {x.shape} a batch of {x.shape[0]}")
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
        call(In((0, 3, 3, 2)), In((2, 2, 4, 2)), size=(4, 4), name="empty batch"),
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
    """The gradient of a :func:`~kbackend.ops.nn.conv.convolution` with respect to its input.

    Args:
        x: floats ``(batch, *spatial, channels)``, the upstream gradient of the convolution.
        kernel: ``(*window, filters, channels)``, the kernel of the convolution from filters to channels.
        sizes: integer scalars, one for each None in ``size``.
        size: the spatial size of the result, for which the convolution has the spatial size of x.
        batch: the batch size of the result if it is known although that of x is not.
        strides, padding, dilation: those of the convolution.

    Returns:
        ``(batch, *size, filters)``.

    Raises:
        ValueError: sizes that do not fit; the message names those that do.
        TypeError: operands that are not floats.

    Source: Dumoulin and Visin, "A Guide to Convolution Arithmetic for Deep Learning", 2016.

    >>> import numpy as np
    >>> from kbackend import K
    >>> x = np.arange(1.0, 4.0).reshape(1, 3, 1)
    >>> y = convolution_transpose(x, np.ones((3, 1, 1)), size=(6,), strides=2, padding="same")
    >>> K.eval(y).ravel().tolist()
    [1.0, 1.0, 3.0, 2.0, 5.0, 3.0]
    """
    axes = _axes(kernel, strides, padding, dilation)
    symbolic = iter(sizes)
    wanted = [next(symbolic) if n is None else n for n in size]
    parts = [_part(axis, length(x, 1 + a), n) for a, (axis, n) in enumerate(zip(axes, wanted))]
    rank = len(axes)
    borders = [(axis.reach - 1,) * 2 for axis in axes]
    padded = pad_constant(_upsampled(_with_batch(x, batch), strides), ((0, 0), *borders, (0, 0)))
    taps = permute_dimensions(reverse(kernel, tuple(range(rank))), (*range(rank), rank + 1, rank))
    return convolution(padded, taps, dilation=dilation)[:, *parts]


def _part(axis: Axis, positions: Any, size: Any) -> slice:
    """The part of a size of what the windows at all positions cover, without the padding of the convolution."""
    size = size if isinstance(size, (int, Tensor)) else int(to_numpy(size))
    if isinstance(positions, int) and isinstance(size, int):
        start: Any = axis.pads(positions, size)[0]
    elif axis.pair is not None:
        start = axis.pair[0]
    else:  # the positions or the size is symbolic
        start = maximum((positions - 1) * axis.stride + axis.reach - size, 0) // 2
    return slice(start, start + size)


def _with_batch(x: Any, batch: int | None) -> Any:
    """``x`` with a batch size that its shape does not have."""
    if batch is None or x.shape[0] is not None:
        return x
    return reshape(x, [batch, *lengths(x)[1:]])


def _upsampled(x: Any, strides: Sequence[int]) -> Any:
    """``x`` with ``stride - 1`` zeros after each element of a spatial dimension."""
    for axis, stride in enumerate(strides, start=1):
        if stride > 1:
            shape = lengths(x)
            shape[axis] = shape[axis] * stride
            pairs = [(0, 0)] * (len(shape) + 1)
            pairs[axis + 1] = (0, stride - 1)
            x = reshape(pad_constant(expand_dims(x, axis + 1), tuple(pairs)), shape)
    return x


def _output_sizes(output_shape: Any, rank: int, first: bool) -> list[Any]:
    """The entries of an output shape with channels last: ints, symbolic scalars, or None."""
    if isinstance(output_shape, (tuple, list)):
        found = [None if d is None else entries([d])[0] for d in output_shape]
    else:
        found = list(entries(output_shape))
    if len(found) != rank + 2:
        raise ValueError(f"output_shape must hold {rank + 2} sizes, it is {output_shape!r}")
    if any(isinstance(d, int) and d < 0 for d in found):
        raise ValueError(f"output_shape must not hold negative sizes, it is {output_shape!r}")
    return [found[0], *found[2:], found[1]] if first else found


def _transposed(x: Any, kernel: Any, output_shape: Any, strides: Any, padding: Any, data_format: Any, dilation: Any,
                rank: int) -> Any:
    x, kernel = with_shape(x), with_shape(kernel)
    check_rank(x, rank)
    check_rank(kernel, rank)
    x, first = channels_last(x, data_format)
    batch, *spatial, filters = _output_sizes(output_shape, rank, first)
    if isinstance(filters, int) and kernel.shape[-2] not in (None, filters):
        raise ValueError(f"output_shape {output_shape!r} has {filters} channels, the kernel "
                         f"{tuple(kernel.shape)} gives {kernel.shape[-2]}")
    strides, dilation = integers("strides", strides, rank), integers("dilation_rate", dilation, rank)
    if None in spatial:
        axes = _axes(kernel, strides, checked_padding(padding, rank), dilation)
        spatial = [axis.usual(length(x, 1 + a)) if n is None else n for a, (axis, n) in enumerate(zip(axes, spatial))]
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
    """Transposed convolution over one spatial dimension.

    Args:
        x: floats ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for 'channels_first'.
        kernel: ``(window, filters, channels)``.
        output_shape, strides, padding, data_format, dilation_rate: as in :func:`conv2d_transpose`.

    Returns:
        ``(batch, steps, filters)``, or ``(batch, filters, steps)``.

    Raises:
        ValueError, TypeError: as in :func:`conv2d_transpose`.

    >>> import numpy as np
    >>> from kbackend import K
    >>> K.eval(conv1d_transpose(np.ones((1, 2, 1)), np.ones((2, 1, 1)), (1, 3, 1))).ravel().tolist()
    [1.0, 2.0, 1.0]
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
    """Transposed convolution over two spatial dimensions: the gradient of a convolution with respect to its input.

    Args:
        x: floats ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'.
        kernel: ``(rows, columns, filters, channels)``.
        output_shape: the shape of the result in the data format: ints, integer scalars, or one integer vector such as
            ``K.shape(y)``. None means the batch size of x, or for a spatial size that of Keras's layers: ``n * stride``
            for 'same', ``n * stride + max(window - stride, 0)`` for 'valid'.
        strides, dilation_rate: an integer, or two.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        ValueError: an output shape for which the convolution does not have the shape of x (the message names the sizes
            that fit), another rank, or an unknown padding or data format.
        TypeError: operands that are not floats.

    Source: Dumoulin and Visin, "A Guide to Convolution Arithmetic for Deep Learning", 2016.

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
    """Transposed convolution over three spatial dimensions, without dilation.

    Args:
        x: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(*window, filters, channels)``.
        output_shape, strides, padding, data_format: as in :func:`conv2d_transpose`.

    Returns:
        A tensor of ``output_shape``.

    Raises:
        ValueError: as :func:`conv2d_transpose` raises it.
        TypeError: as :func:`conv2d_transpose` raises it.

    >>> import numpy as np
    >>> from kbackend import K
    >>> y = K.conv3d_transpose(np.ones((1, 1, 1, 1, 1)), np.ones((1, 1, 2, 1, 1)), (1, 1, 1, 2, 1))
    >>> K.eval(y).ravel().tolist()
    [1.0, 1.0]
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 1, 3)


__all__: list[str] = []
