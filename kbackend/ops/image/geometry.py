"""Interpolation of images at coordinates, and affine and perspective transforms by it.

Coordinates are in pixels: the centre of pixel i is at i. Values between pixel centres are interpolated; pixels outside
the image are determined by ``fill_mode`` before the interpolation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.dims import lengths, plus, times
from kbackend.ops.arrays.join import concatenate_last, stack
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.reshape import expand_dims, flatten, reshape
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.rounding import floor, round_half_even
from kbackend.ops.elementwise.select import clip_range, maximum, minimum, select_elements
from kbackend.ops.image.resize import in_floats, opened
from kbackend.ops.indexing.gather import gather
from kbackend.ops.linalg.solve import solve

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
#: coordinates are clipped to this magnitude, so that they can be cast to integers
_LIMIT = float(1 << 30)


def _check_choice(value: Any, choices: Sequence[Any], name: str) -> None:
    if isinstance(value, bool) or value not in choices:
        raise ValueError(f"unknown {name} {value!r}; choose one of {', '.join(map(repr, choices))}")


def _index_inside(index: Any, size: Any, mode: str) -> Any:
    """The index of the pixel whose value a fill mode has at an integer coordinate inside or outside an axis."""
    if mode in ("constant", "nearest"):
        return minimum(maximum(index, 0), plus(size, -1))
    if mode == "wrap":
        return index % size
    period = times(size, 2) if mode == "reflect" else plus(times(size, 2), -2)
    if mode == "mirror":  # the period of an axis of one pixel would be 0
        period = maximum(period, 1) if isinstance(period, Tensor) else max(period, 1)
    phase = index % period
    return minimum(phase, abs_(plus(period, -1 if mode == "reflect" else 0) - phase))


def _neighbours(start: Any, size: Any, order: int, mode: str, dtype: str) -> list[tuple[Any, Any]]:
    """(indices, whether they are inside the image) of the pixels along one axis; None where all are."""
    index = cast(start, dtype)
    pairs = []
    for neighbour in (index, index + 1)[: order + 1]:
        inside = (neighbour >= 0) & (neighbour < size) if mode == "constant" else None
        pairs.append((_index_inside(neighbour, size, mode), inside))
    return pairs


def _index_dtype(counts: Sequence[Any]) -> str:
    """The integer dtype of indices into an array of these sizes, of which some may be tensors."""
    known = [n for n in counts if isinstance(n, int)]
    return "int32" if len(known) == len(counts) and math.prod(known) < 1 << 31 else "int64"


def _with_channel_axis(x: Any, channels: bool) -> Any:
    return expand_dims(x, -1) if channels else x


def _interpolated(pixels: Any, sizes: Sequence[Any], coordinates: Sequence[Any], first: Any, order: int, mode: str,
                  fill: float, index_dtype: str) -> Any:
    """Pixels interpolated at coordinates.

    Args:
        pixels: ``(elements,)`` or ``(elements, channels)``, images flattened in row-major order.
        sizes: the sizes of the spatial axes, integers or integer scalars.
        coordinates: a tensor for each spatial axis.
        first: the index of the first pixel of each image, or None for a single image.
        order, mode, fill: as in :func:`map_coordinates`.
        index_dtype: the dtype of indices into ``pixels``.
    """
    dtype, channels = dtype_of(pixels), len(pixels.shape) == 2
    clipped = [clip_range(c, low=-_LIMIT, high=_LIMIT) for c in coordinates]
    starts = [stop_gradient(round_half_even(c) if order == 0 else floor(c)) for c in clipped]
    axes = [_neighbours(start, size, order, mode, index_dtype) for start, size in zip(starts, sizes)]
    values = [_gathered(pixels, sizes, corner, first, fill, channels) for corner in itertools.product(*axes)]
    if order == 0:
        return values[0]
    for c, start in reversed(list(zip(clipped, starts))):
        weight = _with_channel_axis(cast(c - start, dtype), channels)
        # Without 1 - weight, which TensorFlow's graphs would round in another order.
        values = [a + (b - a) * weight for a, b in zip(values[::2], values[1::2])]
    return values[0]


def _gathered(pixels: Any, sizes: Sequence[Any], corner: Sequence[tuple[Any, Any]], first: Any, fill: float,
              channels: bool) -> Any:
    """The pixels at the indices of one corner of the interpolation, ``fill`` outside the image."""
    index, inside = first, None
    stride: Any = 1
    for (along_axis, within), size in reversed(list(zip(corner, sizes))):
        offset = times(along_axis, stride)
        index = offset if index is None else index + offset
        if within is not None:
            inside = within if inside is None else inside & within
        stride = times(stride, size)
    value = gather(pixels, index)
    return value if inside is None else select_elements(_with_channel_axis(inside, channels), value, fill)


def _coordinate_dtype(x: Any) -> str:
    """The dtype of the coordinates of pixels of x, float32 or float64; 16 bits would not distinguish pixels."""
    return "float64" if dtype_of(x) == "float64" else "float32"


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 5)), In((2, 6), -2.9, 6.9, avoid=tuple(range(-3, 8))), 1, dtypes=("float64", "float32")),
    call(In((4,)), In((1, 2, 3), -9.9, 9.9, avoid=tuple(range(-10, 11))), 1, "reflect", name="reflect",
         dtypes=("float64", "float32"), dynamic=False),
    call(In((4,)), In((1, 5), values=[[-2.3, -0.6, 3.6, 5.0, 8.25]]), 0, "mirror", name="mirror, order 0"),
    call(In((3,), kind="int32", values=[0, 3, 8]), In((1, 2), values=[[0.4, 1.625]]), 1, gradient=False, dynamic=False,
         expect=np.array([1, 6], "int32"), name="int32"),
    call(In((4,)), In((1, 0)), 1, "wrap", name="none", dynamic=False),
    call(In((4, 5)), In((3, 6)), 1, raises=ValueError, name="three axes", dynamic=False),
    call(In((4,)), In((1, 6)), 2, raises=ValueError, name="order", dynamic=False),
    call(In((4,)), In((1, 6)), 1, "edge", raises=ValueError, name="fill_mode", dynamic=False)])
def map_coordinates(inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant",
                    fill_value: float = 0.0) -> Any:
    """The elements of a tensor interpolated at coordinates.

    Args:
        inputs: a tensor of rank n; integers are computed in floats and rounded to the nearest.
        coordinates: ``(n, ...)``, in elements along each axis; gradients flow to them for order 1.
        order: 0 for the nearest element (halves to the even one), 1 for linear interpolation.
        fill_mode: how ``a b c d`` is extended: 'constant' ``k k | a b c d | k k``, 'nearest' ``a a | a b c d | d d``,
            'wrap' ``c d | a b c d | a b``, 'mirror' ``c b | a b c d | c b``, 'reflect' ``b a | a b c d | d c``.
        fill_value: the constant k of 'constant'.

    Returns:
        A tensor of the shape ``coordinates.shape[1:]`` and the dtype of ``inputs``.

    Raises:
        ValueError: coordinates of another number of axes, an unknown order or an unknown fill mode.
        TypeError: inputs that are neither integers nor floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.map_coordinates(np.array([1.0, 2.0]), [[0.5, 1.5, 2.0]], 1, "wrap")).tolist()
    [1.5, 1.5, 1.0]
    """
    _check_choice(order, (0, 1), "order")
    _check_choice(fill_mode, FILL_MODES, "fill_mode")
    x = as_tensor(inputs)
    if not isinstance(coordinates, (list, tuple)) or not any(hasattr(c, "shape") for c in coordinates):
        coordinates = as_tensor(coordinates)
        if len(coordinates.shape) < 1 or coordinates.shape[0] != len(x.shape):
            raise ValueError(f"coordinates must have the shape ({len(x.shape)}, ...) for inputs of shape "
                             f"{tuple(x.shape)}, not {tuple(coordinates.shape)}")
        coordinates = [coordinates[i] for i in range(len(x.shape))]
    if len(coordinates) != len(x.shape) or not coordinates:
        raise ValueError(f"inputs of shape {tuple(x.shape)} need a coordinate for each axis, not "
                         f"{len(coordinates)}")
    sizes = lengths(x)
    index_dtype = _index_dtype(sizes)

    def interpolated(y: Any) -> Any:
        points = [cast(as_tensor(c), _coordinate_dtype(y)) for c in coordinates]
        return _interpolated(flatten(y), sizes, points, None, order, fill_mode, fill_value, index_dtype)

    return in_floats(x, interpolated)


def _projected(images: Any, vectors: Any, interpolation: str, mode: str, fill: float, data_format: str | None) -> Any:
    """Images at ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``."""
    _check_choice(interpolation, ("nearest", "bilinear"), "interpolation")
    _check_choice(mode, FILL_MODES, "fill_mode")
    x, restore = opened(images, data_format)
    if len(vectors.shape) not in (1, 2) or vectors.shape[-1] != 8:
        raise ValueError(f"transform must have the shape (8,) or (batch, 8), it is {tuple(vectors.shape)}")
    if len(vectors.shape) == 1:
        vectors = expand_dims(vectors, 0)
    if None not in (x.shape[0], vectors.shape[0]) and vectors.shape[0] not in (1, x.shape[0]):
        raise ValueError(f"{x.shape[0]} images need one transform or as many, not {vectors.shape[0]}")

    def points(row: Any, column: Any) -> list[Any]:
        parameters = cast(vectors, dtype_of(row))
        a0, a1, a2, b0, b1, b2, c0, c1 = (parameters[:, i, None, None] for i in range(8))
        depth = c0 * column + c1 * row + 1.0
        # The smaller summands are added first, the order of TensorFlow's graphs.
        return [(p * column + (q * row + shift)) / depth for p, q, shift in ((b0, b1, b2), (a0, a1, a2))]

    return restore(in_floats(x, lambda y: _at_points(y, points, interpolation, mode, fill)))


def _at_points(x: Any, points: Callable[[Any, Any], Sequence[Any]], interpolation: str, mode: str, fill: float) -> Any:
    """Images with channels last at points: a function of rows (1, rows, 1) and columns (1, 1, columns) gives both
    coordinates, ``(batch, rows, columns)``."""
    batch, rows, columns, channels = lengths(x)
    index_dtype = _index_dtype((batch, rows, columns))
    dtype = _coordinate_dtype(x)
    column = reshape(cast(numbers(columns), dtype), (1, 1, columns))
    row = reshape(cast(numbers(rows), dtype), (1, rows, 1))
    count = times(rows, columns)
    first = reshape(cast(numbers(batch), index_dtype) * count, (batch, 1, 1))
    flat = reshape(x, (times(batch, count), channels))
    order = 1 if interpolation == "bilinear" else 0
    return _interpolated(flat, (rows, columns), points(row, column), first, order, mode, fill, index_dtype)


def displaced(images: Any, down: Any, across: Any, interpolation: str, fill_mode: str, fill_value: float) -> Any:
    """Float images with channels last whose pixels come from ``down`` rows below and ``across`` columns to the right.

    Both displacements have the shape (batch, rows, columns); the other arguments are those of
    :func:`affine_transform`.
    """
    def points(row: Any, column: Any) -> list[Any]:
        return [row + cast(down, dtype_of(row)), column + cast(across, dtype_of(row))]

    return _at_points(images, points, interpolation, fill_mode, fill_value)


def _turn() -> In:
    return In((8,), values=[0.8, -0.5, 0.9, 0.45, 0.9, -0.7, 0.02, -0.03])


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 3, 4, 2)), _turn(), data_format="channels_last", dtypes=("float64", "float32")),
    call(In((2, 2, 4, 3)), In((2, 8), 0.1, 0.9, gradient=False), fill_mode="reflect", data_format="channels_first",
         name="one for each image", dtypes=("float64", "float32")),
    call(In((3, 4, 1), 0, 256, kind="uint8"), _turn(), "nearest", "constant", 7, "channels_last", gradient=False,
         dynamic=False, name="uint8", dtypes=("float32",)),
    call(In((3, 4, 1)), In((6,)), data_format="channels_last", raises=ValueError, name="six numbers", dynamic=False),
    call(In((2, 3, 4, 1)), In((3, 8)), data_format="channels_last", raises=ValueError, name="three", dynamic=False),
    call(In((3, 4, 1)), In((8,)), "bicubic", data_format="channels_last", raises=ValueError, name="interpolation",
         dynamic=False),
    call(In((3, 4, 1)), In((8,)), fill_mode="edge", data_format="channels_last", raises=ValueError, name="fill_mode",
         dynamic=False)])
def affine_transform(images: TensorLike, transform: TensorLike, interpolation: str = "bilinear",
                     fill_mode: str = "constant", fill_value: float = 0.0, data_format: str | None = None) -> Any:
    """Images under affine or projective transforms.

    Args:
        images: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'; one
            image has no batch axis. Integers are computed in floats and rounded to the nearest.
        transform: ``a0, a1, a2, b0, b1, b2, c0, c1``, ``(8,)`` for all images or ``(batch, 8)``. The pixel at column x
            and row y of the result is that of the image at column ``(a0 x + a1 y + a2) / k`` and row
            ``(b0 x + b1 y + b2) / k``, where ``k = c0 x + c1 y + 1``. Gradients flow to it for 'bilinear'.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode, fill_value: the pixels outside images; see :func:`map_coordinates`.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the shape and dtype of ``images``.

    Raises:
        ValueError: another rank or shape of transforms, or an unknown interpolation, fill mode or data format.
        TypeError: images that are neither integers nor floats.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1)
    >>> left = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    >>> K.eval(ops.image.affine_transform(x, left, data_format="channels_last")).ravel().tolist()
    [2.0, 3.0, 0.0]
    """
    return _projected(images, as_tensor(transform), interpolation, fill_mode, fill_value, data_format)


def _homographies(start: Any, end: Any, dtype: str) -> Any:
    """The vectors ``(n, 8)`` of the projections that map the four ``end`` points to the ``start`` points."""
    x, y, u, v = (cast(p, dtype)[:, :, i] for p in (start, end) for i in range(2))
    zero = u * 0.0
    one = zero + 1.0
    columns = stack([u, v, one, zero, zero, zero, -(x * u), -(x * v)], 2)
    rows = stack([zero, zero, zero, u, v, one, -(y * u), -(y * v)], 2)
    return solve(concatenate_last([columns, rows], 1), concatenate_last([x, y], 1))


def _corner_points() -> list[list[float]]:
    return [[0.0, 0.0], [0.0, 3.0], [4.0, 0.0], [4.0, 3.0]]


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 4, 5, 2)), In((4, 2), values=_corner_points()),
         In((4, 2), values=[[0.7, 0.2], [0.3, 2.6], [3.6, 0.4], [3.3, 2.9]]), data_format="channels_last",
         dtypes=("float64", "float32"), tolerance="gradient", reason="a linear system is solved for the coordinates"),
    call(In((4, 5, 1)), In((4, 2), values=_corner_points()), In((3, 2)), data_format="channels_last", raises=ValueError,
         name="three points", dynamic=False),
    call(In((4, 5)), In((4, 2), values=_corner_points()), In((4, 2), values=_corner_points()), raises=ValueError,
         name="rank", dynamic=False)])
def perspective_transform(images: TensorLike, start_points: TensorLike, end_points: TensorLike,
                          interpolation: str = "bilinear", fill_value: float = 0.0,
                          data_format: str | None = None) -> Any:
    """Images under the perspective transform that maps four points to four others.

    Args:
        images: as in :func:`affine_transform`.
        start_points: ``(4, 2)`` or ``(batch, 4, 2)``, (column, row) of four points of the images.
        end_points: ``(4, 2)`` or ``(batch, 4, 2)``, where these points are in the result. Gradients flow to both for
            'bilinear'.
        interpolation: 'nearest' or 'bilinear'.
        fill_value: the value of pixels outside images.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the shape and dtype of ``images``.

    Raises:
        ValueError: another rank or shape of points, or an unknown interpolation or data format.
        TypeError: images that are neither integers nor floats.
        numpy.linalg.LinAlgError: three of the points lie on a line.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(2, 2, 1)
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> turned = ops.image.perspective_transform(x, points, points[::-1], data_format="channels_last")
    >>> K.eval(turned).ravel().round(4).tolist()
    [4.0, 3.0, 2.0, 1.0]
    """
    points = []
    for name, value in (("start_points", start_points), ("end_points", end_points)):
        corners = as_tensor(value)
        if len(corners.shape) not in (2, 3) or tuple(corners.shape[-2:]) != (4, 2):
            raise ValueError(f"{name} must have the shape (4, 2) or (batch, 4, 2), it is {tuple(corners.shape)}")
        points.append(expand_dims(corners, 0) if len(corners.shape) == 2 else corners)
    dtype = _coordinate_dtype(as_tensor(images))
    start, end = (p + q * 0.0 for p, q in (points, points[::-1]))  # both of the larger batch
    return _projected(images, _homographies(start, end, dtype), interpolation, "constant", fill_value, data_format)


__all__: list[str] = []
