"""Changes of one picture: affine maps by SciPy, shifts of channels, brightness by Pillow.

A picture is an array of three axes. Draws come from NumPy's global generator, so that ``np.random.seed`` fixes them.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from kbackend.utils.images import array_to_img, img_to_array


def _ndimage() -> ModuleType:
    try:
        from scipy import ndimage
    except ImportError:
        raise ImportError("affine maps of pictures need SciPy: pip install 'kbackend[images]'") from None
    return ndimage


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """The picture mirrored along an axis.

    Args:
        x: the picture, an array of any shape and dtype.
        axis: the axis.

    Raises:
        AxisError: there is no such axis.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import flip_axis
    >>> flip_axis(np.arange(6).reshape(2, 3), 1).tolist()
    [[2, 1, 0], [5, 4, 3]]
    """
    return np.flip(np.asarray(x), axis)


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> np.ndarray:
    """The map about the middle of a picture instead of its corner.

    Args:
        matrix: 3 by 3, in homogeneous coordinates.
        x, y: the numbers of rows and of columns.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import transform_matrix_offset_center
    >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 4, 4)[0].tolist()
    [2.0, 0.0, -2.5]
    """
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -there[:2, 2]
    return there @ np.asarray(matrix) @ back


def _matrix(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> np.ndarray | None:
    """The product of a rotation, a shift, a shear and a zoom, None where all leave a picture as it is."""
    factors = []
    if theta:
        turn = np.deg2rad(theta)
        factors.append([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    if tx or ty:
        factors.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear:
        slant = np.deg2rad(shear)
        factors.append([[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        factors.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    product = None
    for factor in factors:
        product = np.array(factor, float) if product is None else product @ np.array(factor, float)
    return product


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """A picture rotated, shifted, sheared and zoomed about its middle.

    Args:
        x: the picture.
        theta, shear: angles in degrees.
        tx, ty: pixels along rows' and columns' axis.
        zx, zy: how many pixels of the old picture one step in the new one covers.
        row_axis, col_axis, channel_axis: its axes.
        fill_mode: what stands outside the old picture: 'constant', 'nearest', 'reflect' or 'wrap'.
        cval: the number of 'constant'.
        order: of the splines between pixels.

    Raises:
        ImportError: SciPy is not installed.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import apply_affine_transform
    >>> apply_affine_transform(np.arange(3.0).reshape(1, 3, 1), ty=1, order=0)[0, :, 0].tolist()
    [1.0, 2.0, 2.0]
    """
    matrix = _matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    matrix = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    transform = _ndimage().affine_transform
    channels = [
        transform(channel, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode, cval=cval)
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(channels, axis=channel_axis)


def _drawn(x: np.ndarray, channel_axis: int, fill_mode: str, cval: float, order: int, **changes: float) -> np.ndarray:
    """An affine map of a picture whose rows and columns are the axes beside the channels', in this order.

    keras-preprocessing takes row_axis and col_axis and reads neither, so that callers who give channel_axis alone
    depend on it.
    """
    rows, columns = (axis for axis in range(3) if axis != channel_axis % 3)
    return apply_affine_transform(
        x, row_axis=rows, col_axis=columns, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=order,
        **changes,
    )  # fmt: skip


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture rotated by an angle that is drawn from [-rg, rg) degrees.

    Args:
        x: the picture.
        rg: the largest angle.
        row_axis, col_axis: taken for Keras's sake; the axes beside ``channel_axis`` count.
        channel_axis, fill_mode, cval: as in :func:`apply_affine_transform`.
        interpolation_order: its ``order``.

    Raises:
        ImportError: SciPy is not installed.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_rotation
    >>> np.random.seed(4)
    >>> line = np.zeros((1, 4, 4))
    >>> line[:, 2] = 1
    >>> random_rotation(line, 60, interpolation_order=0)[0].astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    """
    theta = np.random.uniform(-rg, rg)
    return _drawn(x, channel_axis, fill_mode, cval, interpolation_order, theta=theta)


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture shifted by drawn fractions, up to ``wrg`` of its width and ``hrg`` of its height.

    Args:
        x: the picture.
        wrg, hrg: the largest fractions.
        row_axis, col_axis: the axes whose sizes are the height and the width.
        channel_axis, fill_mode, cval, interpolation_order: as in :func:`random_rotation`.

    Raises:
        ImportError: SciPy is not installed.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_shift
    >>> np.random.seed(0)
    >>> row = np.arange(10.0).reshape(1, 1, 10)
    >>> random_shift(row, 0.5, 0, interpolation_order=0)[0, 0].tolist()
    [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0]
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return _drawn(x, channel_axis, fill_mode, cval, interpolation_order, tx=tx, ty=ty)


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture sheared by an angle that is drawn from [-intensity, intensity) degrees.

    Args:
        x: the picture.
        intensity: the largest angle.
        row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in :func:`random_rotation`.

    Raises:
        ImportError: SciPy is not installed.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_shear
    >>> np.random.seed(4)
    >>> line = np.zeros((1, 4, 4))
    >>> line[:, 2] = 1
    >>> random_shear(line, 60, interpolation_order=0)[0].astype(int).tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    """
    shear = np.random.uniform(-intensity, intensity)
    return _drawn(x, channel_axis, fill_mode, cval, interpolation_order, shear=shear)


def random_zoom(
    x: np.ndarray,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture zoomed by a factor for each of its axes, both drawn from a range.

    Args:
        x: the picture.
        zoom_range: (lower, upper).
        row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in :func:`random_rotation`.

    Raises:
        ValueError: a ``zoom_range`` of other than two numbers.
        ImportError: SciPy is not installed.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_zoom
    >>> np.random.seed(0)
    >>> row = np.arange(8.0).reshape(1, 1, 8)
    >>> random_zoom(row, (0.4, 0.6), interpolation_order=0)[0, 0].tolist()
    [2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 6.0]
    """
    zx, zy = drawn_zoom(check_pair("zoom_range", zoom_range))
    return _drawn(x, channel_axis, fill_mode, cval, interpolation_order, zx=zx, zy=zy)


def drawn_zoom(bounds: Any) -> tuple[float, float]:
    """Two factors; nothing is drawn where both bounds are 1."""
    if bounds[0] == bounds[1] == 1:
        return 1.0, 1.0
    zx, zy = np.random.uniform(bounds[0], bounds[1], 2)
    return float(zx), float(zy)


def check_pair(name: str, bounds: Any) -> Any:
    """The two numbers of a range.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise ValueError(f"{name} must be two numbers (lower, upper), it is {bounds!r}")
    return bounds


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """A picture with a number added to all of it, clipped to the least and the largest number it has.

    Args:
        x: the picture.
        intensity: the number.
        channel_axis: taken for Keras's sake.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import apply_channel_shift
    >>> apply_channel_shift(np.array([[[0.0, 100.0, 250.0]]]), 20).tolist()
    [[[20.0, 120.0, 250.0]]]
    """
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """As :func:`apply_channel_shift`, with a number drawn from [-intensity_range, intensity_range).

    Args:
        x: the picture.
        intensity_range: the largest number.
        channel_axis: taken for Keras's sake.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_channel_shift
    >>> np.random.seed(0)
    >>> random_channel_shift(np.array([[[0.0, 100.0, 250.0]]]), 20).round(1).tolist()
    [[[2.0, 102.0, 250.0]]]
    """
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: np.ndarray, brightness: float, data_format: str | None = None) -> np.ndarray:
    """A picture in another brightness, by Pillow: 0 is black, 1 leaves it. Its numbers are stretched to 0 ... 255.

    Args:
        x: the picture.
        brightness: the factor.
        data_format: 'channels_last' or 'channels_first'; the setting's when None.

    Returns:
        A picture of the same shape in floatx.

    Raises:
        ValueError: other than three axes, or than 1, 3 or 4 channels.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import apply_brightness_shift
    >>> apply_brightness_shift(np.array([[[0.0], [100.0], [200.0]]]), 0.5)[0, :, 0].tolist()
    [0.0, 63.0, 127.0]
    """
    from PIL import ImageEnhance

    image = ImageEnhance.Brightness(array_to_img(x, data_format)).enhance(brightness)
    return img_to_array(image, data_format)


def random_brightness(x: np.ndarray, brightness_range: Any) -> np.ndarray:
    """As :func:`apply_brightness_shift`, with a factor drawn from a range.

    Args:
        x: the picture.
        brightness_range: (lower, upper).

    Raises:
        ValueError: a ``brightness_range`` of other than two numbers, and as there.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import random_brightness
    >>> np.random.seed(0)
    >>> random_brightness(np.array([[[0.0], [100.0], [200.0]]]), (0.2, 0.8))[0, :, 0].tolist()
    [0.0, 67.0, 134.0]
    """
    lower, upper = check_pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(lower, upper))
