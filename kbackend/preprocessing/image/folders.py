"""Batches of changed pictures from files, a folder a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kbackend.preprocessing.image.iterators import SUBSETS, Iterator, write_pictures
from kbackend.preprocessing.image.pictures import ENDINGS, sorted_pictures
from kbackend.utils.images import img_to_array, load_img

if TYPE_CHECKING:
    from kbackend.preprocessing.image.generator import ImageDataGenerator

_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


class FileIterator(Iterator):
    """Batches of pictures in files. A subclass sets ``class_mode``, ``classes``, ``class_indices`` and ``targets``.

    Args:
        image_data_generator: how pictures are changed; they are not when None.
        target_size: (height, width) that all pictures are brought to.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        data_format: 'channels_last' or 'channels_first'.
        save_to_dir, save_prefix, save_format, subset: as in :class:`NumpyArrayIterator`.
        interpolation: see :func:`kbackend.utils.load_img`.
    """

    white_list_formats = ENDINGS
    class_mode: str | None
    classes: Any
    class_indices: dict[str, int]
    targets: Any = None
    sample_weight: np.ndarray | None = None
    samples: int

    def __init__(
        self,
        image_data_generator: ImageDataGenerator | None,
        target_size: Sequence[int],
        color_mode: str,
        data_format: str,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        dtype: str,
    ) -> None:
        if color_mode not in _CHANNELS:
            raise ValueError(f"color_mode must be one of {', '.join(_CHANNELS)}, it is {color_mode!r}")
        if subset is not None and subset not in SUBSETS:
            raise ValueError(f"subset must be 'training' or 'validation', it is {subset!r}")
        self.image_data_generator, self.color_mode, self.data_format = image_data_generator, color_mode, data_format
        self.target_size = tuple(target_size)
        channels = (_CHANNELS[color_mode],)
        first = data_format == "channels_first"
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.subset, self.interpolation, self.dtype = subset, interpolation, dtype
        self.filenames: list[str] = []
        self.directory = ""

    @property
    def filepaths(self) -> list[str]:
        """The paths of the pictures."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self) -> Any:
        """The class, or what takes its place, of each picture."""
        return self.classes if self.targets is None else self.targets

    def part(self, whole: Any) -> Any:
        """The files of the subset among all of one class."""
        if self.subset is None:
            return whole
        split = 0.0 if self.image_data_generator is None else self.image_data_generator.validation_split
        count = int(split * len(whole))
        return whole[:count] if self.subset == "validation" else whole[count:]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for place, number in enumerate(index_array):
            batch[place] = self._picture(os.path.join(self.directory, self.filenames[number]))
        write_pictures(self, batch, index_array, 10**7)
        if self.class_mode is None:
            return batch
        labels = batch.copy() if self.class_mode == "input" else self._labels(index_array)
        return (batch, labels) if self.sample_weight is None else (batch, labels, self.sample_weight[index_array])

    def _picture(self, path: str) -> np.ndarray:
        array = img_to_array(load_img(path, self.color_mode, self.target_size, self.interpolation), self.data_format)
        return array.copy() if self.image_data_generator is None else self.image_data_generator.changed(array.copy())

    def _labels(self, numbers: np.ndarray) -> Any:
        if self.class_mode == "multi_output":
            return [output[numbers] for output in self.targets]
        if self.class_mode == "raw":
            return self.targets[numbers]
        chosen = [self.classes[number] for number in numbers]
        if self.class_mode in ("binary", "sparse"):
            return np.array(chosen, self.dtype)
        rows = np.zeros((len(chosen), len(self.class_indices)), self.dtype)
        for row, classes in zip(rows, chosen):
            row[classes] = 1.0
        return rows


class DirectoryIterator(FileIterator):
    """Batches of changed pictures of a folder that has a folder for each class.

    Args:
        directory: the folder.
        image_data_generator: how pictures are changed.
        target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset, interpolation, dtype: see
            ``ImageDataGenerator.flow_from_directory``.
        classes: the names of the folders; all in the order of names when None.
        class_mode: 'categorical', 'binary', 'sparse', 'input' or None.
        batch_size, shuffle, seed: see :class:`Iterator`.
        follow_links: whether links to folders are followed.

    Attributes:
        filenames: the paths of the pictures inside ``directory``.
        classes: the number of the class of each, int32.
        class_indices: from names of classes to numbers.
        samples, num_classes: how many there are.

    Raises:
        ValueError: another mode of colours or classes, or another subset.
        OSError: the folder is not there.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.preprocessing.image import DirectoryIterator, ImageDataGenerator, save_img
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cats", "dogs"):
    ...     (folder / name).mkdir()
    ...     save_img(folder / name / "one.png", np.zeros((3, 4, 3)))
    >>> batches = DirectoryIterator(folder, ImageDataGenerator(), target_size=(8, 8), shuffle=False)
    Found 2 images belonging to 2 classes.
    >>> x, y = next(batches)
    >>> batches.class_indices, x.shape, y.tolist()
    ({'cats': 0, 'dogs': 1}, (2, 8, 8, 3), [[1.0, 0.0], [0.0, 1.0]])
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: Any,
        image_data_generator: ImageDataGenerator,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: str = "float32",
    ) -> None:
        super().__init__(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, dtype,
        )  # fmt: skip
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"class_mode must be one of {self.allowed_class_modes}, it is {class_mode!r}")
        self.directory, self.class_mode = os.fspath(directory), class_mode
        names = list(classes) if classes else sorted(e.name for e in os.scandir(self.directory) if e.is_dir())
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.num_classes = len(names)
        numbers: list[int] = []
        for name, number in self.class_indices.items():
            found = list(sorted_pictures(os.path.join(self.directory, name), follow_links))
            kept = [os.path.relpath(path, self.directory) for path in self.part(found)]
            self.filenames += kept
            numbers += [number] * len(kept)
        self.classes = np.array(numbers, np.int32)
        self.samples = len(self.filenames)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)
