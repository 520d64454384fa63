"""Batches of changed pictures from files that a frame of pandas names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kbackend.preprocessing.image.folders import FileIterator
from kbackend.preprocessing.image.iterators import Iterator

if TYPE_CHECKING:
    from kbackend.preprocessing.image.generator import ImageDataGenerator

_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(FileIterator):
    """Batches of changed pictures whose files and labels are columns of a frame.

    Args:
        dataframe: of pandas; ``x_col`` has the names of the files.
        directory: the folder that names are relative to; None where they are whole paths.
        image_data_generator: how pictures are changed; they are not when None.
        x_col: the column of names.
        y_col: the column of classes (texts, or lists of texts for several classes), or with 'raw' and 'multi_output'
            of targets; a list of columns there.
        weight_col: the column of sample weights, None for none.
        target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset, interpolation, dtype: see
            ``ImageDataGenerator.flow_from_directory``.
        classes: the classes that are used; all when None.
        class_mode: 'categorical', 'binary', 'sparse', 'raw', 'multi_output', 'input' or None.
        batch_size, shuffle, seed: see :class:`Iterator`.
        validate_filenames: whether rows are left out whose file is not there or is no picture by its ending.

    Raises:
        TypeError: a column of other values than its mode needs.
        ValueError: another mode, or other than two classes with 'binary'.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import pandas
    >>> from kbackend.preprocessing.image import DataFrameIterator, save_img
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> save_img(folder / "one.png", np.zeros((3, 4, 3)))
    >>> frame = pandas.DataFrame({"filename": ["one.png"], "age": [7.5]})
    >>> batches = DataFrameIterator(frame, folder, y_col="age", class_mode="raw", target_size=(8, 8))
    Found 1 validated image filenames.
    >>> x, y = next(batches)
    >>> x.shape, y.tolist()
    ((1, 8, 8, 3), [7.5])
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: ImageDataGenerator | None = None,
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
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: str = "float32",
        validate_filenames: bool = True,
    ) -> None:
        super().__init__(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, dtype,
        )  # fmt: skip
        self.directory, self.class_mode = os.fspath(directory or ""), class_mode
        self._check(dataframe, x_col, y_col, weight_col, classes)
        frame = self._with_files(dataframe, x_col) if validate_filenames else dataframe
        if class_mode not in _WITHOUT_CLASSES:
            frame, names = _of_classes(frame, y_col, classes)
            self.class_indices = {name: number for number, name in enumerate(names)}
        frame = self.part(frame)
        self.filenames = frame[x_col].tolist()
        if weight_col:
            self.sample_weight = frame[weight_col].to_numpy()
        if class_mode == "multi_output":
            self.targets = [np.array(frame[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self.targets = frame[y_col].to_numpy()
        elif class_mode in _WITHOUT_CLASSES:
            self.classes = None
        else:
            self.classes = [self._numbers(label) for label in frame[y_col]]
        belonging = "" if class_mode in _WITHOUT_CLASSES else f" belonging to {len(self.class_indices)} classes"
        self.samples = len(self.filenames)
        validated = "validated" if validate_filenames else "non-validated"
        print(f"Found {self.samples} {validated} image filenames{belonging}.")
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _check(self, frame: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any) -> None:
        mode = self.class_mode
        if mode not in self.allowed_class_modes:
            raise ValueError(f"class_mode must be one of {self.allowed_class_modes}, it is {mode!r}")
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f"class_mode='multi_output' needs a list of columns as y_col, it is {y_col!r}")
        wanted: dict[str | None, Any] = {"binary": str, "sparse": str, "categorical": (str, list, tuple)}
        for column, kinds in ((x_col, str), (y_col, wanted.get(mode))):
            if kinds and not all(isinstance(value, kinds) for value in frame[column]):
                lists = "" if kinds is str else ", or lists or tuples of texts"
                raise TypeError(f"the column {column!r} must hold texts{lists}, with class_mode={mode!r}")
        if mode == "binary" and (count := len(set(classes or frame[y_col]))) != 2:
            raise ValueError(f"class_mode='binary' needs two classes, there are {count}")
        if classes and mode in _WITHOUT_CLASSES:
            warnings.warn(f"classes is not used with class_mode={mode!r}", stacklevel=4)
        if weight_col and frame[weight_col].dtype.kind not in "iuf":
            raise TypeError(f"the column {weight_col!r} of weights must hold numbers")

    def _with_files(self, frame: Any, x_col: str) -> Any:
        paths = (os.path.join(self.directory, name) for name in frame[x_col])
        good = np.array([p.lower().endswith(self.white_list_formats) and os.path.isfile(p) for p in paths], bool)
        if not good.all():
            warnings.warn(
                f"{(~good).sum()} of the names in {x_col!r} are of no picture and are left out", stacklevel=4
            )
        return frame[good]

    def _numbers(self, label: Any) -> Any:
        if isinstance(label, (list, tuple)):
            return [self.class_indices[name] for name in label]
        return self.class_indices[label]


def _of_classes(frame: Any, y_col: str, classes: Any) -> tuple[Any, list[str]]:
    """The rows that belong to the classes, with these labels alone; and the classes in order."""
    wanted = set(classes or ())
    if not wanted:
        each = (label if isinstance(label, (list, tuple)) else [label] for label in frame[y_col])
        wanted = {name for found in each for name in found}

    def kept(label: Any) -> Any:
        if isinstance(label, (list, tuple)):
            return [name for name in label if name in wanted] or None
        return label if label in wanted else None

    labels = [kept(label) for label in frame[y_col]]
    chosen = frame.assign(**{y_col: labels})
    return chosen[[label is not None for label in labels]], sorted(wanted)
