"""Random changes and normalization of pictures, applied to batches when they are made."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.config import floatx, normalize_data_format
from kbackend.ground.public import Public
from kbackend.preprocessing.image.affine import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    check_pair,
    drawn_zoom,
    flip_axis,
)
from kbackend.preprocessing.image.folders import DirectoryIterator
from kbackend.preprocessing.image.frames import DataFrameIterator
from kbackend.preprocessing.image.iterators import NumpyArrayIterator

_EPSILON = 1e-6
_AXES = {"channels_first": (2, 3, 1), "channels_last": (1, 2, 3)}  # rows, columns, channels of a batch


class ImageDataGenerator(Public):
    """Batches of pictures that are changed at random and normalized when they are made.

    Draws come from NumPy's global generator.

    Args:
        featurewise_center, featurewise_std_normalization: whether the mean of the pictures given to :meth:`fit` is
            taken away, and whether the rest is divided by their deviation, channel by channel.
        samplewise_center, samplewise_std_normalization: the same for each picture alone.
        zca_whitening: whether pixels are made independent, by the principal components that :meth:`fit` finds.
        zca_epsilon: added to their variances.
        rotation_range: the largest angle in degrees.
        width_shift_range, height_shift_range: a fraction of the picture (below 1), the largest number of pixels, or a
            list of numbers to draw from.
        brightness_range: (lower, upper) factors; numbers are stretched to 0 ... 255 with it.
        shear_range: the largest angle in degrees.
        zoom_range: (lower, upper) factors, or one number z for (1 - z, 1 + z).
        channel_shift_range: the largest number that is added.
        fill_mode: 'constant', 'nearest', 'reflect' or 'wrap', outside the old picture.
        cval: the number of 'constant'.
        horizontal_flip, vertical_flip: whether half of the pictures are mirrored.
        rescale: a factor, None for none.
        preprocessing_function: of one picture, called after the changes and before normalization.
        data_format: 'channels_last' or 'channels_first'; the setting's when None.
        validation_split: the fraction of the subset 'validation', in [0, 1).
        interpolation_order: of the splines between pixels.
        dtype: of batches; floatx when None.

    Raises:
        ValueError: a range, format or fraction that is none.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import ImageDataGenerator
    >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    >>> batches = generator.flow(np.full((10, 4, 4, 3), 51.0), np.arange(10), batch_size=4, seed=1)
    >>> x, y = next(batches)
    >>> len(batches), x.shape, y.shape, round(float(x.max()), 3)
    (3, (4, 4, 4, 3), (4,), 0.2)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ) -> None:
        self.data_format = normalize_data_format(data_format)
        self.row_axis, self.col_axis, self.channel_axis = _AXES[self.data_format]
        if not 0 <= validation_split < 1:
            raise ValueError(f"validation_split must lie in [0, 1), it is {validation_split}")
        self.validation_split = validation_split
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.samplewise_std_normalization = samplewise_std_normalization
        needed = samplewise_std_normalization
        self.samplewise_center = _implied(samplewise_center, "samplewise_std_normalization", needed)
        if zca_whitening and featurewise_std_normalization:
            warnings.warn("zca_whitening takes the place of featurewise_std_normalization", stacklevel=2)
        self.featurewise_std_normalization = featurewise_std_normalization and not zca_whitening
        needing = "zca_whitening" if zca_whitening else "featurewise_std_normalization"
        needed = zca_whitening or featurewise_std_normalization
        self.featurewise_center = _implied(featurewise_center, needing, needed)
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        if isinstance(zoom_range, (int, float)):
            self.zoom_range = [1 - zoom_range, 1 + zoom_range]
        else:
            self.zoom_range = list(check_pair("zoom_range", zoom_range))
        self.brightness_range = None if brightness_range is None else check_pair("brightness_range", brightness_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype = floatx() if dtype is None else dtype
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None
        self.principal_components: np.ndarray | None = None

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of changed pictures of an array.

        Args:
            x: (samples, height, width, channels), or ``(pictures, others)`` with arrays that go along unchanged.
            y: labels, None for none.
            batch_size: pictures a batch.
            shuffle: whether the order of each pass is drawn.
            sample_weight: a weight for each sample.
            seed: with it the batches are the same in each run.
            save_to_dir: a folder where changed pictures are written.
            save_prefix, save_format: how their names begin and end.
            subset: 'training' or 'validation'; see ``validation_split``.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix,
            save_format, subset, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Batches of changed pictures of a folder that has a folder for each class.

        Args:
            directory: the folder.
            target_size: (height, width) that all pictures are brought to.
            color_mode: 'rgb', 'rgba' or 'grayscale'.
            classes: the names of the folders; all in the order of names when None.
            class_mode: what labels are: 'categorical' (rows with a 1), 'binary' or 'sparse' (numbers), 'input' (the
                pictures), None for none.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in :meth:`flow`.
            follow_links: whether links to folders are followed.
            interpolation: 'nearest', 'bilinear', 'bicubic', 'hamming', 'box' or 'lanczos'.
        """
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, self.data_format,
            save_to_dir, save_prefix, save_format, follow_links, subset, interpolation, self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of changed pictures whose files and labels are columns of a frame of pandas.

        Args:
            dataframe, directory, x_col, y_col, weight_col, classes, validate_filenames: see
                :class:`DataFrameIterator`.
            class_mode: as in :meth:`flow_from_directory`, or 'raw' and 'multi_output' for targets as they are.
            target_size, color_mode, interpolation: as in :meth:`flow_from_directory`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in :meth:`flow`.
            kwargs: ``has_ext``, ``sort`` and ``drop_duplicates`` of early versions, which have no effect.
        """
        if unknown := kwargs.keys() - {"has_ext", "sort", "drop_duplicates"}:
            raise TypeError(f"flow_from_dataframe has no argument {', '.join(map(repr, sorted(unknown)))}")
        if kwargs:
            warnings.warn(f"{', '.join(kwargs)} of flow_from_dataframe have no effect", stacklevel=2)
        return DataFrameIterator(
            dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes,
            "raw" if class_mode == "other" else class_mode, batch_size, shuffle, seed, self.data_format, save_to_dir,
            save_prefix, save_format, subset, interpolation, self.dtype, validate_filenames,
        )  # fmt: skip

    def changed(self, x: np.ndarray) -> np.ndarray:
        """One picture, changed at random and normalized; its array is used for the result."""
        return self.standardize(self.random_transform(x))

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """A picture or batch, normalized in place."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + _EPSILON
        if self.featurewise_center and self._learnt("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._learnt("featurewise_std_normalization", self.std):
            x /= self.std + _EPSILON  # type: ignore[operator]
        if self.zca_whitening and self._learnt("zca_whitening", self.principal_components):
            flat = np.reshape(x, (-1, int(np.prod(x.shape[-3:]))))
            x = np.reshape(flat @ self.principal_components, x.shape)
        return x

    def _learnt(self, name: str, value: Any) -> bool:
        if value is None:
            warnings.warn(f"{name} has no effect before fit(x) has seen pictures", stacklevel=3)
        return value is not None

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """What changes one picture: drawn numbers by their names.

        Args:
            img_shape: its shape.
            seed: of NumPy's global generator, None to leave it.

        Returns:
            'theta' and 'shear' in degrees, 'tx' and 'ty' in pixels along rows' and columns' axis, 'zx' and 'zy',
            'flip_horizontal', 'flip_vertical', 'channel_shift_intensity' and 'brightness' (None for none).
        """
        if seed is not None:
            np.random.seed(seed)
        theta = _drawn(self.rotation_range)
        tx = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = _drawn(self.shear_range)
        zx, zy = drawn_zoom(self.zoom_range)
        horizontal, vertical = np.random.random() < 0.5, np.random.random() < 0.5
        channels = _drawn(self.channel_shift_range) if self.channel_shift_range else None
        brightness = None if self.brightness_range is None else np.random.uniform(*self.brightness_range)
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy,
            "flip_horizontal": bool(horizontal and self.horizontal_flip),
            "flip_vertical": bool(vertical and self.vertical_flip),
            "channel_shift_intensity": channels, "brightness": brightness,
        }  # fmt: skip

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """One picture, changed by the numbers of :meth:`get_random_transform`; a missing one changes nothing."""
        given = transform_parameters
        rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        affine = {name: given[name] for name in ("theta", "tx", "ty", "shear", "zx", "zy") if name in given}
        x = apply_affine_transform(
            x, row_axis=rows, col_axis=columns, channel_axis=channels, fill_mode=self.fill_mode, cval=self.cval,
            order=self.interpolation_order, **affine,
        )  # fmt: skip
        if given.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given["channel_shift_intensity"], channels)
        if given.get("flip_horizontal"):
            x = flip_axis(x, columns)
        if given.get("flip_vertical"):
            x = flip_axis(x, rows)
        if given.get("brightness") is not None:
            x = apply_brightness_shift(x, given["brightness"], self.data_format)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """One picture, changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn means, deviations and principal components from pictures.

        Args:
            x: (samples, height, width, channels).
            augment: whether changed pictures are used.
            rounds: how many changed ones of each.
            seed: of NumPy's global generator, None to leave it.

        Raises:
            ValueError: other than four axes.
        """
        pictures = np.array(x, self.dtype)
        if pictures.ndim != 4:
            raise ValueError(f"fit needs pictures of four axes (samples and those of a picture), not {pictures.shape}")
        self.warn_of_channels(pictures.shape)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            pictures *= self.rescale
        if augment:
            changed = [self.random_transform(picture) for _ in range(rounds) for picture in pictures]
            pictures = np.array(changed, self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(pictures, axes, keepdims=True)[0]
            pictures -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(pictures, axes, keepdims=True)[0]
            pictures /= self.std + _EPSILON
        if self.zca_whitening:
            flat = pictures.reshape(len(pictures), -1)
            u, s, _ = np.linalg.svd(flat.T @ flat / len(flat))
            self.principal_components = (u / np.sqrt(s + self.zca_epsilon)) @ u.T

    def warn_of_channels(self, shape: Sequence[int]) -> None:
        """Warn of pictures that have other than 1, 3 or 4 channels."""
        if shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"pictures have 1, 3 or 4 channels; the axis {self.channel_axis} of {tuple(shape)} has "
                f"{shape[self.channel_axis]}, with data_format={self.data_format!r}",
                stacklevel=3,
            )


def _implied(given: bool, needing: str, needed: bool) -> bool:
    if needed and not given:
        center = f"{'samplewise' if needing.startswith('samplewise') else 'featurewise'}_center"
        warnings.warn(f"{needing} switches {center} on", stacklevel=3)
    return given or needed


def _drawn(largest: float) -> float:
    return np.random.uniform(-largest, largest) if largest else 0


def _shift(given: Any, size: int) -> float:
    """Pixels, from a list of numbers, from all below a whole number, or from a range of fractions or pixels."""
    if not np.any(given):
        return 0
    if isinstance(given, (int, np.integer)) or np.ndim(given):
        pixels = np.random.choice(given) * np.random.choice([-1, 1])
    else:
        pixels = np.random.uniform(-given, given)
    return pixels * size if np.max(given) < 1 else pixels
