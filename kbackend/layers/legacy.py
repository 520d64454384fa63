"""Layers under Keras 1's names, and merges by mode; see :mod:`kbackend.layers.spellings` for names of arguments."""

from __future__ import annotations

from typing import Any

from kbackend.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    SeparableConv2D,
)
from kbackend.layers.legacy_merge import Merge, merge
from kbackend.layers.spellings import Arguments, warn


def _with_window(name: str, modern_name: str, args: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """Positional arguments in which the sizes of the window are one."""
    sizes = args[1 : rank + 1]
    if len(sizes) < rank or not all(isinstance(size, int) for size in sizes):
        return args
    warn(f"{name}(filters, {', '.join(map(str, sizes))}) is a spelling of Keras 1; write "
          f"{modern_name}(filters, {tuple(sizes)})")  # fmt: skip
    return (args[0], tuple(sizes), *args[rank + 1 :])


class Convolution2D(Conv2D):
    """Keras 1's name of :class:`~kbackend.layers.Conv2D`: ``Convolution2D(32, 3, 3)`` has a window of 3 rows and 3
    columns.

    Other arguments and shapes as :class:`kbackend.layers.Conv2D`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.Convolution2D(8, 3, 3)(Input((5, 6, 1))).shape
    (None, 3, 4, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*_with_window("Convolution2D", "Conv2D", args, 2), **kwargs)


class Convolution3D(Conv3D):
    """Keras 1's name of :class:`~kbackend.layers.Conv3D`, with three sizes of the window after the filters.

    Other arguments and shapes as :class:`kbackend.layers.Conv3D`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.Convolution3D(8, 1, 2, 3)(Input((4, 5, 6, 1))).shape
    (None, 4, 4, 4, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*_with_window("Convolution3D", "Conv3D", args, 3), **kwargs)


class SeparableConvolution2D(SeparableConv2D):
    """Keras 1's name of :class:`~kbackend.layers.SeparableConv2D`, with two sizes of the window after the filters.

    Other arguments and shapes as :class:`kbackend.layers.SeparableConv2D`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.SeparableConvolution2D(8, 3, 3)(Input((5, 6, 2))).shape
    (None, 3, 4, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*_with_window("SeparableConvolution2D", "SeparableConv2D", args, 2), **kwargs)


class AtrousConvolution1D(Conv1D):
    """Keras 1's name of a dilated :class:`~kbackend.layers.Conv1D`; ``atrous_rate`` is its ``dilation_rate``.

    Other arguments and shapes as :class:`kbackend.layers.Conv1D`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.AtrousConvolution1D(8, 3, atrous_rate=2)(Input((7, 2))).shape
    (None, 3, 8)
    """


class AtrousConvolution2D(Convolution2D):
    """Keras 1's name of a dilated :class:`~kbackend.layers.Conv2D`; ``atrous_rate`` is its ``dilation_rate``.

    Other arguments and shapes as :class:`kbackend.layers.Conv2D`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2))(Input((7, 7, 1))).shape
    (None, 3, 3, 8)
    """


def _without_output_shape(args: tuple[Any, ...], kwargs: Arguments, rank: int) -> tuple[Any, ...]:
    """Arguments without the shape of the result, which Keras 1 was given after the window or by name: a size that
    follows from the others."""
    shape = kwargs.pop("output_shape", None)
    place = rank + 1
    if len(args) > place and isinstance(args[place], (tuple, list)) and len(args[place]) > rank:
        shape, args = args[place], (*args[:place], *args[place + 1 :])
    if shape is not None:
        warn("output_shape= of a deconvolution is a spelling of Keras 1; leave it out")
    return args


class Deconvolution2D(Conv2DTranspose):
    """Keras 1's name of :class:`~kbackend.layers.Conv2DTranspose`, with two sizes of the window after the filters, and
    an ``output_shape`` of which no notice is taken.

    Other arguments and shapes as :class:`kbackend.layers.Conv2DTranspose`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.Deconvolution2D(8, 3, 3, output_shape=(None, 7, 7, 8))(Input((5, 5, 1))).shape
    (None, 7, 7, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        args = _without_output_shape(args, kwargs, 2)
        super().__init__(*_with_window("Deconvolution2D", "Conv2DTranspose", args, 2), **kwargs)


class Deconvolution3D(Conv3DTranspose):
    """Keras 1's name of :class:`~kbackend.layers.Conv3DTranspose`; see :class:`Deconvolution2D`.

    Other arguments and shapes as :class:`kbackend.layers.Conv3DTranspose`.

    >>> import warnings
    >>> from kbackend import Input, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     layers.Deconvolution3D(8, 3, 3, 3)(Input((5, 5, 5, 1))).shape
    (None, 7, 7, 7, 8)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        args = _without_output_shape(args, kwargs, 3)
        super().__init__(*_with_window("Deconvolution3D", "Conv3DTranspose", args, 3), **kwargs)


__all__ = [
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "Convolution2D",
    "Convolution3D",
    "Deconvolution2D",
    "Deconvolution3D",
    "Merge",
    "SeparableConvolution2D",
    "merge",
]
