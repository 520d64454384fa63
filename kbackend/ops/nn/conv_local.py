"""Local convolution: convolution with a separate kernel for each position of the window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from kbackend import config
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.windows import (
    check_rank,
    float_only,
    integers,
    known_size,
    only_batch_empty,
    spatial_rank,
    with_shape,
)


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rank = spatial_rank(specs)
    return {
        "window": integers("kernel_size", attrs["window"], rank),
        "strides": integers("strides", attrs["strides"], rank),
        "output": integers("output_shape", attrs["output"], rank),
        "data_format": config.normalize_data_format(attrs["data_format"]),
    }


def _rule(x: TensorSpec, kernel: TensorSpec, *, window: Any, strides: Any, output: Any, data_format: str) -> TensorSpec:
    float_only(x)
    if kernel.ndim != 3:
        raise ValueError(f"the kernel must be (positions, features, filters), its shape is {kernel.shape}")
    only_batch_empty(x, kernel)
    first = data_format == "channels_first"
    channels, spatial = (x.shape[1], x.shape[2:]) if first else (x.shape[-1], x.shape[1:-1])
    for n, k, s, count in zip(spatial, window, strides, output):
        if n is not None and (count - 1) * s + k > n:
            raise ValueError(f"{count} positions of a window of {k} with stride {s} do not fit a dimension of size {n}")
    positions, features, filters = kernel.shape
    if positions not in (None, math.prod(output)):
        raise ValueError(f"the kernel {kernel.shape} is for {positions} positions, the output {output} has "
                         f"{math.prod(output)}")
    if None not in (channels, features) and features != math.prod(window) * channels:
        raise ValueError(f"the kernel {kernel.shape} takes {features} features, a window of {window} of {channels} "
                         f"channels has {math.prod(window) * channels}")
    shape = (x.shape[0], filters, *output) if first else (x.shape[0], *output, filters)
    return TensorSpec(shape, x.dtype)


def _samples() -> list[Sample]:
    def sample(x: In, kernel: In, window: Any, strides: Any, output: Any, data_format: str = "channels_last",
               **options: Any) -> Sample:
        return call(x, kernel, window=window, strides=strides, output=output, data_format=data_format, **options)

    return [
        sample(In((2, 5, 6, 3)), In((12, 18, 4)), (3, 2), (1, 2), (3, 3), raises=ValueError, name="positions"),
        sample(In((2, 5, 6, 3)), In((9, 18, 4)), (3, 2), (1, 2), (3, 3)),
        sample(In((2, 3, 5, 6)), In((9, 18, 4)), (3, 2), (1, 2), (3, 3), "channels_first", name="channels_first"),
        sample(In((2, 7, 3)), In((4, 6, 2)), 2, 1, (4,), name="one dimension, not all of it"),
        sample(In((2, 3, 3, 4, 2)), In((6, 16, 3)), 2, (2, 1, 1), (1, 2, 3), name="three dimensions"),
        sample(In((1, 2, 2, 1)), In((4, 1, 1)), 1, 1, (2, 2), name="window of one"),
        sample(In((0, 4, 2)), In((3, 4, 3)), 2, 1, (3,), name="empty batch"),
        sample(In((2, 5, 3)), In((5, 6, 2)), 2, 1, (5,), raises=ValueError, name="window does not fit"),
        sample(In((2, 5, 3)), In((4, 9, 2)), 2, 1, (4,), raises=ValueError, name="features do not fit"),
        sample(In((2, 5, 3)), In((4, 6)), 2, 1, (4,), raises=ValueError, name="rank of the kernel"),
        sample(In((2, 5, 3)), In((4, 6, 2)), 2, 0, (4,), raises=ValueError, name="no stride"),
        sample(In((2, 5, 3), 0, 9, kind="int32"), In((4, 6, 2), 0, 9, kind="int32"), 2, 1, (4,), raises=TypeError,
               name="integers"),
    ]


@composite(promote="same", prepare=_attrs, rule=_rule, tolerance="matmul", samples=_samples)
def local_convolution(x: TensorLike, kernel: TensorLike, *, window: Any, strides: Any, output: Any,
                      data_format: str) -> Any:
    """Convolution with a separate kernel for each position, over one to three spatial dimensions.

    Args:
        x: floats ``(batch, *spatial, channels)``, or ``(batch, channels, *spatial)`` for 'channels_first'.
        kernel: ``(positions, features, filters)``, with the positions of ``output`` in row-major order. Features are
            the flattened window ``(*window, channels)``, or ``(channels, *window)`` for 'channels_first'.
        window, strides: an integer, or one for each spatial dimension.
        output: the number of positions in each spatial dimension.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        ``(batch, *output, filters)``, or ``(batch, filters, *output)`` for 'channels_first'.

    Raises:
        ValueError: sizes that do not fit; the message names them.
        TypeError: operands that are not floats.
    """
    rank, first = len(window), data_format == "channels_first"
    spatial = tuple(range(2, rank + 2)) if first else tuple(range(1, rank + 1))
    x = permute_dimensions(x, (*spatial, 0, 1 if first else rank + 1))
    taps = [x[*(slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(offsets, output, strides))]
            for offsets in itertools.product(*map(range, window))]
    patches = stack(taps, axis=-1 if first else -2)
    batch = length(x, rank)
    features = known_size("a local convolution", kernel, kernel.shape[1])
    y = matrix_multiply(reshape(patches, [math.prod(output), batch, features]), kernel)
    y = reshape(y, [*output, batch, known_size("a local convolution", kernel, kernel.shape[2])])
    places = tuple(range(rank))
    return permute_dimensions(y, (rank, rank + 1, *places) if first else (rank, *places, rank + 1))


def _local(inputs: Any, kernel: Any, window: Any, strides: Any, output: Any, data_format: Any, rank: int) -> Any:
    inputs = with_shape(inputs)
    check_rank(inputs, rank)
    return local_convolution(inputs, kernel, window=window, strides=strides, output=output,
                             data_format=config.normalize_data_format(data_format))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 6, 3)), In((3, 6, 4)), (2,), (2,)),
    call(In((2, 3, 6)), In((5, 6, 4)), (2,), (1,), "channels_first", name="channels_first"),
    call(In((2, 6, 3)), In((5, 6, 4)), (2,), (2,), raises=ValueError, name="window does not fit"),
    call(In((2, 6, 3)), In((5, 6, 4)), (2,), (1,), "first", raises=ValueError, name="unknown data format"),
    call(In((2, 6, 3, 1)), In((5, 6, 4)), (2,), (1,), raises=ValueError, name="rank")])
def local_conv1d(inputs: TensorLike, kernel: TensorLike, kernel_size: Any, strides: Any,
                 data_format: str | None = None) -> Any:
    """Convolution over one spatial dimension with a separate kernel for each position.

    Args:
        inputs: floats ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for 'channels_first'.
        kernel: ``(positions, kernel_size * channels, filters)``, with one kernel for each position of the result.
        kernel_size, strides: an integer, or a tuple of one.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, positions, filters)``, or ``(batch, filters, positions)``.

    Raises:
        ValueError: another rank, an unknown data format, or sizes that do not fit.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> kernel = np.arange(1.0, 4.0).reshape(3, 1, 1) * np.ones((3, 2, 1))
    >>> K.eval(K.local_conv1d(np.ones((1, 4, 1)), kernel, (2,), (1,))).ravel().tolist()
    [2.0, 4.0, 6.0]
    """
    kernel = with_shape(kernel)
    positions = known_size("a local convolution", kernel, kernel.shape[0] if kernel.shape else None)
    return _local(inputs, kernel, kernel_size, strides, (positions,), data_format, 1)


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 4, 5, 2)), In((6, 12, 3)), (2, 3), (1, 2), (3, 2)),
    call(In((2, 2, 4, 5)), In((6, 12, 3)), (2, 3), (1, 2), (3, 2), "channels_first", name="channels_first"),
    call(In((2, 4, 5, 2)), In((6, 12, 3)), (2, 3), (1, 2), (2, 2), raises=ValueError, name="positions do not fit"),
    call(In((2, 4, 5)), In((6, 12, 3)), (2, 3), (1, 2), (3, 2), raises=ValueError, name="rank")])
def local_conv2d(inputs: TensorLike, kernel: TensorLike, kernel_size: Any, strides: Any, output_shape: Any,
                 data_format: str | None = None) -> Any:
    """Convolution over two spatial dimensions with a separate kernel for each position.

    Args:
        inputs: floats ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for
            'channels_first'.
        kernel: ``(positions, features, filters)``, with the positions in row-major order. Features are the flattened
            window ``(rows, columns, channels)``, or ``(channels, rows, columns)``.
        kernel_size, strides: an integer, or two.
        output_shape: rows and columns of the result.
        data_format: 'channels_last' or 'channels_first'; None for the default, ``K.image_data_format()``.

    Returns:
        ``(batch, rows, columns, filters)``, or ``(batch, filters, rows, columns)``.

    Raises:
        ValueError: another rank, an unknown data format, or sizes that do not fit.
        TypeError: operands that are not floats.

    >>> import numpy as np
    >>> from kbackend import K
    >>> kernel = np.arange(4.0).reshape(4, 1, 1)
    >>> K.eval(K.local_conv2d(np.ones((1, 2, 2, 1)), kernel, (1, 1), (1, 1), (2, 2))).ravel().tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    return _local(inputs, kernel, kernel_size, strides, output_shape, data_format, 2)


__all__: list[str] = []
