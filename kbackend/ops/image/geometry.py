"""Images seen through other coordinates.

Coordinates count pixels: pixel i is at i, and what lies between pixels is a mean of its neighbours. What lies outside
is what ``fill_mode`` continues the image with, pixel by pixel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
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
from kbackend.ops.elementwise.arithmetic import abs_, add, mod, multiply, subtract
from kbackend.ops.elementwise.comparison import greater_equal, less
from kbackend.ops.elementwise.logical import logical_and
from kbackend.ops.elementwise.rounding import floor, round_half_even
from kbackend.ops.elementwise.select import clip_range, maximum, minimum, select_elements
from kbackend.ops.image.resize import in_floats, opened
from kbackend.ops.indexing.gather import gather
from kbackend.ops.linalg.solve import solve

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
#: coordinates further away than this are taken for this, so that they can become integers
_FAR = float(1 << 30)


def _among(value: Any, choices: Sequence[Any], name: str) -> None:
    if isinstance(value, bool) or value not in choices:
        raise ValueError(f"unknown {name} {value!r}; choose one of {', '.join(map(repr, choices))}")


def _folded(index: Any, size: Any, mode: str) -> Any:
    """The pixel of an axis that lies at an integer place in or outside it."""
    if mode in ("constant", "nearest"):
        return minimum(maximum(index, 0), plus(size, -1))
    if mode == "wrap":
        return mod(index, size)
    period = times(size, 2) if mode == "reflect" else plus(times(size, 2), -2)
    if mode == "mirror":  # an axis of one pixel has no period
        period = maximum(period, 1) if isinstance(period, Tensor) else max(period, 1)
    place = mod(index, period)
    return minimum(place, abs_(plus(period, -1 if mode == "reflect" else 0) - place))


def _corners(near: Any, start: Any, size: Any, order: int, mode: str, kind: str) -> list[tuple[Any, Any]]:
    """(pixels, whether they are in the image) along one axis; None where it is all of them."""
    index = cast(start, kind)
    found = []
    for place in (index, index + 1)[: order + 1]:
        inside = None
        if mode == "constant":
            inside = greater_equal(place, 0) & less(place, size)
        found.append((_folded(place, size, mode), inside))
    return found


def _index_kind(counts: Sequence[Any]) -> str:
    known = [n for n in counts if isinstance(n, int)]
    return "int32" if len(known) == len(counts) and math.prod(known) < 1 << 31 else "int64"


def _spread(x: Any, channels: bool) -> Any:
    return expand_dims(x, -1) if channels else x


def _sampled(rows: Any, counts: Sequence[Any], coordinates: Sequence[Any], first: Any, order: int, mode: str,
             fill: float, kind: str) -> Any:
    """Means of rows at coordinates.

    Args:
        rows: ``(elements,)`` or ``(elements, channels)``: images whose axes are one, the last varying fastest.
        counts: sizes of the axes that coordinates are for.
        coordinates: a tensor for each of these axes.
        first: the row at which each image begins, or None for one image.
    """
    dtype, channels = dtype_of(rows), len(rows.shape) == 2
    near = [clip_range(c, low=-_FAR, high=_FAR) for c in coordinates]
    starts = [stop_gradient(round_half_even(c) if order == 0 else floor(c)) for c in near]
    axes = [_corners(c, start, n, order, mode, kind) for c, start, n in zip(near, starts, counts)]
    values = [_at_corner(rows, counts, corner, first, fill, channels) for corner in itertools.product(*axes)]
    if order == 0:
        return values[0]
    for c, start in reversed(list(zip(near, starts))):
        share = _spread(cast(subtract(c, start), dtype), channels)
        values = [_between(a, b, share) for a, b in zip(values[::2], values[1::2])]
    return values[0]


def _at_corner(rows: Any, counts: Sequence[Any], corner: Sequence[tuple[Any, Any]], first: Any, fill: float,
               channels: bool) -> Any:
    place, inside = first, None
    step: Any = 1
    for (index, within), count in reversed(list(zip(corner, counts))):
        offset = multiply(index, step) if isinstance(step, Tensor) or step != 1 else index
        place = offset if place is None else add(place, offset)
        if within is not None:
            inside = within if inside is None else logical_and(inside, within)
        step = times(step, count)
    value = gather(rows, place)
    return value if inside is None else select_elements(_spread(inside, channels), value, fill)


def _between(a: Any, b: Any, share: Any) -> Any:
    """Written without 1 - share, which TensorFlow's graphs would round in another order."""
    return a + subtract(b, a) * share


def _coordinate_dtype(x: Any) -> str:
    """Places of pixels need float32 at least."""
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
    """What a tensor has at coordinates, which need not be integers.

    Args:
        inputs: a tensor of rank n; integers are computed in floats and rounded to the nearest.
        coordinates: ``(n, ...)``; gradients flow to them for order 1.
        order: 0 for the nearest element (halves to the even one), 1 for linear interpolation.
        fill_mode: how ``a b c d`` goes on: 'constant' ``k k | a b c d | k k``, 'nearest' ``a a | a b c d | d d``,
            'wrap' ``c d | a b c d | a b``, 'mirror' ``c b | a b c d | c b``, 'reflect' ``b a | a b c d | d c``.
        fill_value: the k of 'constant'.

    Returns:
        A tensor of the shape ``coordinates.shape[1:]`` and the dtype of ``inputs``.

    Raises:
        ValueError: coordinates for another rank, an order or fill mode that is none.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> K.eval(ops.image.map_coordinates(np.array([1.0, 2.0]), [[0.5, 1.5, 2.0]], 1, "wrap")).tolist()
    [1.5, 1.5, 1.0]
    """
    _among(order, (0, 1), "order")
    _among(fill_mode, FILL_MODES, "fill_mode")
    x = as_tensor(inputs)
    if not isinstance(coordinates, (list, tuple)) or not any(hasattr(c, "shape") for c in coordinates):
        coordinates = as_tensor(coordinates)
        if len(coordinates.shape) < 1 or coordinates.shape[0] != len(x.shape):
            raise ValueError(f"coordinates must have the shape ({len(x.shape)}, ...) for inputs of shape "
                             f"{tuple(x.shape)}, they have {tuple(coordinates.shape)}")
        coordinates = [coordinates[i] for i in range(len(x.shape))]
    if len(coordinates) != len(x.shape) or not coordinates:
        raise ValueError(f"inputs of shape {tuple(x.shape)} need a coordinate for each axis, there are "
                         f"{len(coordinates)}")
    counts = lengths(x)
    kind = _index_kind(counts)

    def mapped(y: Any) -> Any:
        places = [cast(as_tensor(c), _coordinate_dtype(y)) for c in coordinates]
        return _sampled(flatten(y), counts, places, None, order, fill_mode, fill_value, kind)

    return in_floats(x, mapped)


def _projected(images: Any, vectors: Any, interpolation: str, mode: str, fill: float, data_format: str | None) -> Any:
    """Images at ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``."""
    _among(interpolation, ("nearest", "bilinear"), "interpolation")
    _among(mode, FILL_MODES, "fill_mode")
    x, closed = opened(images, data_format)
    if len(vectors.shape) not in (1, 2) or vectors.shape[-1] != 8:
        raise ValueError(f"a transform has 8 numbers, or 8 for each image; its shape is {tuple(vectors.shape)}")
    if len(vectors.shape) == 1:
        vectors = expand_dims(vectors, 0)
    if None not in (x.shape[0], vectors.shape[0]) and vectors.shape[0] not in (1, x.shape[0]):
        raise ValueError(f"{vectors.shape[0]} transforms were given for {x.shape[0]} images")
    batch, rows, columns, channels = lengths(x)
    kind = _index_kind((batch if isinstance(batch, int) else 1, rows, columns))
    kind = kind if isinstance(batch, int) else "int64"

    def seen(y: Any) -> Any:
        dtype = _coordinate_dtype(y)
        a0, a1, a2, b0, b1, b2, c0, c1 = _numbers_of(cast(vectors, dtype))
        across = reshape(cast(numbers(columns), dtype), (1, 1, columns))
        down = reshape(cast(numbers(rows), dtype), (1, rows, 1))
        depth = add(_mixed(c0, across, c1, down), 1.0)
        # the smaller summands first, as TensorFlow's graphs would have them
        places = [(p * across + (q * down + shift)) / depth
                  for p, q, shift in ((b0, b1, b2), (a0, a1, a2))]
        pixels = times(rows, columns)
        starts = cast(numbers(batch), kind) * pixels
        flat = reshape(y, (times(batch, pixels), channels))
        order = 1 if interpolation == "bilinear" else 0
        return _sampled(flat, (rows, columns), places, reshape(starts, (batch, 1, 1)), order, mode, fill, kind)

    return closed(in_floats(x, seen))


def _numbers_of(vectors: Any) -> list[Any]:
    """The columns of ``(n, 8)`` as ``(n, 1, 1)``."""
    return [vectors[:, i, None, None] for i in range(8)]


def _mixed(a: Any, x: Any, b: Any, y: Any) -> Any:
    return multiply(a, x) + multiply(b, y)


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
    """Images moved, turned, sheared, scaled or seen from elsewhere.

    Args:
        images: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for 'channels_first'; one
            image has no batch dimension. Integers are computed in floats and rounded to the nearest.
        transform: ``a0, a1, a2, b0, b1, b2, c0, c1`` for all images, or for each: the result has at column x and row y
            what the image has at column ``(a0 x + a1 y + a2) / k`` and row ``(b0 x + b1 y + b2) / k``, where
            ``k = c0 x + c1 y + 1``. Gradients flow to it for 'bilinear'.
        interpolation: 'nearest' or 'bilinear'.
        fill_mode, fill_value: what lies outside; see :func:`map_coordinates`.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the shape and dtype of ``images``.

    Raises:
        ValueError: a rank, number of transforms, interpolation, fill mode or data format that is none.

    >>> import numpy as np
    >>> from kbackend import K, ops
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1)
    >>> left = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    >>> K.eval(ops.image.affine_transform(x, left, data_format="channels_last")).ravel().tolist()
    [2.0, 3.0, 0.0]
    """
    return _projected(images, as_tensor(transform), interpolation, fill_mode, fill_value, data_format)


def _homographies(start: Any, end: Any, dtype: str) -> Any:
    """The vectors ``(n, 8)`` of the projections that take the four ``end`` points to the ``start`` points."""
    x, y, u, v = (cast(p, dtype)[:, :, i] for p in (start, end) for i in range(2))
    one, zero = multiply(u, 0.0) + 1.0, multiply(u, 0.0)
    across = stack([u, v, one, zero, zero, zero, -multiply(x, u), -multiply(x, v)], 2)
    down = stack([zero, zero, zero, u, v, one, -multiply(y, u), -multiply(y, v)], 2)
    return solve(concatenate_last([across, down], 1), concatenate_last([x, y], 1))


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
    """Images seen from elsewhere, so that four points of them go to four others.

    Args:
        images: as those of :func:`affine_transform`.
        start_points: ``(4, 2)``, or ``(batch, 4, 2)``: columns and rows of points of the images.
        end_points: as start_points: where they are in the result. Gradients flow to both for 'bilinear'.
        interpolation: 'nearest' or 'bilinear'.
        fill_value: what lies outside.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Returns:
        Images of the shape and dtype of ``images``.

    Raises:
        ValueError: a rank, shape of points, interpolation or data format that is none.
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
    for name, given in (("start_points", start_points), ("end_points", end_points)):
        found = as_tensor(given)
        if len(found.shape) not in (2, 3) or tuple(found.shape[-2:]) != (4, 2):
            raise ValueError(f"{name} must have the shape (4, 2) or (batch, 4, 2), it is {tuple(found.shape)}")
        points.append(expand_dims(found, 0) if len(found.shape) == 2 else found)
    dtype = _coordinate_dtype(as_tensor(images))
    start, end = (p + multiply(q, 0.0) for p, q in (points, points[::-1]))
    return _projected(images, _homographies(start, end, dtype), interpolation, "constant", fill_value, data_format)


__all__: list[str] = []
