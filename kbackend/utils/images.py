"""Pictures as arrays and files, by Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.config import floatx, normalize_data_format

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = "nearest bilinear bicubic hamming box lanczos".split()


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A picture of Pillow from a file.

    Args:
        path: the file, its bytes, or an open binary file.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        target_size: (height, width) in pixels to bring it to; as it is when None.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'hamming', 'box' or 'lanczos'.
        keep_aspect_ratio: whether the middle part of the wanted shape is taken first.

    Raises:
        ValueError: another colour mode or interpolation.
        OSError: the file is no picture.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import utils
    >>> path = pathlib.Path(tempfile.mkdtemp(), "p.png")
    >>> utils.save_img(path, np.zeros((3, 4, 3)))
    >>> utils.load_img(path, target_size=(6, 8)).size
    (8, 6)
    """
    from PIL import Image

    if color_mode not in _MODES:
        raise ValueError(f"color_mode must be one of {', '.join(_MODES)}, it is {color_mode!r}")
    source = io.BytesIO(path) if isinstance(path, bytes) else path
    with Image.open(source) as opened:
        deep = color_mode == "grayscale" and opened.mode in ("I;16", "I", "F")
        image = opened.copy() if deep else opened.convert(_MODES[color_mode])
    return image if target_size is None else resized(image, target_size, interpolation, keep_aspect_ratio)


def resized(image: Any, size: Any, interpolation: str, crop: bool = False, pad: bool = False) -> Any:
    """A picture of (height, width) ``size``; ``crop`` takes its middle, ``pad`` adds black borders."""
    from PIL import Image, ImageOps

    if interpolation not in _INTERPOLATIONS:
        raise ValueError(f"interpolation must be one of {', '.join(_INTERPOLATIONS)}, it is {interpolation!r}")
    method, wanted = Image.Resampling[interpolation.upper()], (int(size[1]), int(size[0]))
    if crop:
        return ImageOps.fit(image, wanted, method)
    return ImageOps.pad(image, wanted, method) if pad else image.resize(wanted, method)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A picture as an array (height, width, channels), or (channels, height, width).

    Args:
        img: a picture of Pillow.
        data_format: 'channels_last' or 'channels_first'; the setting's when None.
        dtype: floatx when None.

    Raises:
        ValueError: a picture of neither two nor three axes.

    >>> from PIL import Image
    >>> from kbackend import utils
    >>> utils.img_to_array(Image.new("RGB", (4, 3))).shape
    (3, 4, 3)
    """
    array = np.asarray(img, dtype=dtype or floatx())
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3:
        raise ValueError(f"a picture must have two or three axes, it has the shape {array.shape}")
    return array.transpose(2, 0, 1) if normalize_data_format(data_format) == "channels_first" else array


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as a picture of Pillow.

    Args:
        x: (height, width, channels) or (channels, height, width), with 1, 3 or 4 channels.
        data_format: 'channels_last' or 'channels_first'; the setting's when None.
        scale: whether the least number becomes 0 and the largest 255.
        dtype: in which numbers are scaled; floatx when None.

    Raises:
        ValueError: another shape.

    >>> from kbackend.utils import array_to_img
    >>> array_to_img([[[0.0], [1.0]]]).getpixel((1, 0))
    255
    """
    from PIL import Image

    array = np.asarray(x, dtype=dtype or floatx())
    if array.ndim == 3 and normalize_data_format(data_format) == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        raise ValueError(f"a picture needs three axes with 1, 3 or 4 channels, the shape is {np.shape(x)}")
    if scale:
        array = array - array.min()
        array = array / (array.max() or 1) * 255
    array = array[..., 0] if array.shape[-1] == 1 else array
    if array.ndim == 2 and array.max(initial=0) > 255:
        return Image.fromarray(array.astype(np.int32))
    return Image.fromarray(array.astype(np.uint8))


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as a picture; see :func:`array_to_img`.

    Args:
        path: the file.
        x, data_format, scale: as there.
        file_format: such as 'png'; from the file's ending when None.
        kwargs: given to Pillow.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import utils
    >>> path = pathlib.Path(tempfile.mkdtemp(), "p.png")
    >>> utils.save_img(path, np.zeros((3, 4, 3)))
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    image = array_to_img(x, data_format, scale)
    ending = (file_format or (Path(path).suffix[1:] if isinstance(path, (str, Path)) else "")).lower()
    if image.mode == "RGBA" and ending in ("jpg", "jpeg"):
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)
