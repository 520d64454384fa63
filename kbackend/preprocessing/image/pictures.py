"""Picture files: which there are, and one of them opened."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

from kbackend.utils import images

#: endings of the files that count as pictures
ENDINGS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")


def load_img(
    path: Any,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
) -> Any:
    """A picture of Pillow from a file, with the arguments in Keras 2's order.

    Args:
        path: the file, its bytes, or an open binary file.
        grayscale: the old word for ``color_mode="grayscale"``.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        target_size: (height, width) in pixels to bring it to; as it is when None.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'hamming', 'box' or 'lanczos'.

    Raises:
        ValueError: another colour mode or interpolation.
        OSError: the file is no picture.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.preprocessing.image import load_img, save_img
    >>> path = pathlib.Path(tempfile.mkdtemp(), "p.png")
    >>> save_img(path, np.zeros((3, 4, 3)))
    >>> picture = load_img(path, color_mode="grayscale", target_size=(6, 8))
    >>> picture.mode, picture.size
    ('L', (8, 6))
    """
    if grayscale:
        warnings.warn('grayscale=True is now color_mode="grayscale"', stacklevel=2)
        color_mode = "grayscale"
    return images.load_img(path, color_mode, target_size, interpolation)


def list_pictures(directory: Any, ext: Any = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff")) -> list[str]:
    """The paths of all pictures in a folder and in those inside it.

    Args:
        directory: the folder.
        ext: the ending of their names, or several.

    >>> import pathlib, tempfile
    >>> from kbackend.preprocessing.image import list_pictures
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cat.png", "dog.JPG", "notes.txt"):
    ...     (folder / name).touch()
    >>> sorted(pathlib.Path(path).name for path in list_pictures(folder))
    ['cat.png', 'dog.JPG']
    """
    endings = tuple(f".{e}" for e in ((ext,) if isinstance(ext, str) else ext))
    return [
        os.path.join(root, name)
        for root, _, names in os.walk(directory)
        for name in names
        if name.lower().endswith(endings)
    ]


def sorted_pictures(directory: str, follow_links: bool) -> Iterator[str]:
    """The paths of the pictures of a folder and of those inside it, folder by folder, each in the order of names."""
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links)):
        yield from (os.path.join(root, name) for name in sorted(names) if name.lower().endswith(ENDINGS))
