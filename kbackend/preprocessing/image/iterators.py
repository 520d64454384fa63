"""Endless batches of samples in a drawn order, and batches of changed pictures from arrays."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as Iterating
from typing import TYPE_CHECKING, Any

import numpy as np

from kbackend.training.sources.sequence import PyDataset
from kbackend.utils.images import array_to_img

if TYPE_CHECKING:
    from kbackend.preprocessing.image.generator import ImageDataGenerator

SUBSETS = ("training", "validation")


class Iterator(PyDataset):
    """Batches by number, and without end by ``next``. A subclass has ``_get_batches_of_transformed_samples``.

    Args:
        n: how many samples there are.
        batch_size: samples a batch; the last of a pass may be smaller.
        shuffle: whether the order of each pass is drawn.
        seed: with it, each batch seeds NumPy's global generator with ``seed`` plus the number of batches before it.

    Raises:
        ValueError: a ``batch_size`` below 1.

    >>> from kbackend.preprocessing.image import Iterator
    >>> class Squares(Iterator):
    ...     def _get_batches_of_transformed_samples(self, index_array):
    ...         return index_array**2
    >>> squares = Squares(5, batch_size=2, shuffle=False, seed=None)
    >>> len(squares), [next(squares).tolist() for _ in range(4)]
    (3, [[0, 1], [4, 9], [16], [0, 1]])
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size must be positive, it is {batch_size}")
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.Lock())

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise ValueError(f"there are {len(self)} batches, none has the number {idx}")
        self._seed()
        order = self._set_index_array() if self.index_array is None else self.index_array
        self.total_batches_seen += 1
        return self._get_batches_of_transformed_samples(order[self.batch_size * idx : self.batch_size * (idx + 1)])

    def on_epoch_end(self) -> None:
        """Draw the order of the next pass."""
        self._set_index_array()

    def reset(self) -> None:
        """Let ``next`` begin a pass."""
        self.batch_index = 0

    def __iter__(self) -> Iterating[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next batch, of this pass or of another."""
        with self.lock:
            chosen = self._next_indices()
        return self._get_batches_of_transformed_samples(chosen)  # without the lock: threads may change pictures at once

    @property
    def index_generator(self) -> Iterating[np.ndarray]:
        """The numbers of the samples of the next batches, without end; subclasses take one at a time, with the lock."""
        while True:
            yield self._next_indices()

    def _next_indices(self) -> np.ndarray:
        self._seed()
        fresh = self.batch_index == 0 or self.index_array is None
        order = self._set_index_array() if fresh else self.index_array
        assert order is not None
        start = self.batch_index * self.batch_size
        self.batch_index = self.batch_index + 1 if start + self.batch_size < self.n else 0
        self.total_batches_seen += 1
        return order[start : start + self.batch_size]

    def _seed(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def _set_index_array(self) -> np.ndarray:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)
        return self.index_array

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} needs a method _get_batches_of_transformed_samples(self, index_array) that returns "
            "the batch of these samples"
        )


class NumpyArrayIterator(Iterator):
    """Batches of changed pictures of an array; ``ImageDataGenerator.flow`` makes them.

    Args:
        x: (samples, height, width, channels), or that and arrays that go along unchanged: ``(pictures, [others])``.
        y: labels, None for none.
        image_data_generator: how pictures are changed.
        batch_size, shuffle, seed: see :class:`Iterator`.
        sample_weight: a weight for each sample.
        data_format: 'channels_last' or 'channels_first'.
        save_to_dir: a folder where changed pictures are written, None for none.
        save_prefix, save_format: how their names begin and end.
        subset: 'training' or 'validation', where the generator has a ``validation_split``.
        dtype: of the pictures.

    Raises:
        ValueError: arrays of different lengths, pictures of other than four axes, a subset with other classes.

    >>> import numpy as np
    >>> from kbackend.preprocessing.image import ImageDataGenerator, NumpyArrayIterator
    >>> pictures = np.arange(12.0).reshape(3, 2, 2, 1)
    >>> batches = NumpyArrayIterator(pictures, [5, 6, 7], ImageDataGenerator(rescale=0.5), batch_size=2)
    >>> x, y = next(batches)
    >>> x.shape, x.dtype.name, float(x.max()), y.tolist()
    ((2, 2, 2, 1), 'float32', 3.5, [5, 6])
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageDataGenerator,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        dtype: str = "float32",
    ) -> None:
        images, others = _with_others(x)
        parts: dict[str, Any] = {"y": y, "sample_weight": sample_weight}
        parts |= {f"x[1][{i}]": other for i, other in enumerate(others)}
        arrays: dict[str, Any] = {k: None if part is None else np.asarray(part) for k, part in parts.items()}
        wrong = {name: len(part) for name, part in arrays.items() if part is not None and len(part) != len(images)}
        if wrong:
            raise ValueError(f"there are {len(images)} pictures; other lengths: {wrong}")
        if subset is not None:
            kept = _part(subset, len(images), image_data_generator.validation_split, arrays["y"])
            images = images[kept]
            arrays = {k: None if part is None else part[kept] for k, part in arrays.items()}
        self.x = np.asarray(images, dtype)
        if self.x.ndim != 4:
            raise ValueError(f"pictures need four axes (samples and those of a picture), they have {self.x.shape}")
        image_data_generator.warn_of_channels(self.x.shape)
        self.y, self.sample_weight = arrays.pop("y"), arrays.pop("sample_weight")
        self.x_misc = list(arrays.values())
        self.image_data_generator, self.data_format, self.dtype = image_data_generator, data_format, dtype
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for place, number in enumerate(index_array):
            batch[place] = self.image_data_generator.changed(self.x[number].copy())
        write_pictures(self, batch, index_array, 10**4)
        x = [batch, *(other[index_array] for other in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _with_others(x: Any) -> tuple[Any, list[Any]]:
    if not isinstance(x, (tuple, list)):
        return x, []
    images, others = x
    return np.asarray(images), list(others) if isinstance(others, list) else [others]


def _part(subset: str, count: int, split: float, labels: np.ndarray | None) -> slice:
    if subset not in SUBSETS:
        raise ValueError(f"subset must be 'training' or 'validation', it is {subset!r}")
    parts = {"validation": slice(int(count * split)), "training": slice(int(count * split), None)}
    if labels is not None:
        held, rest = (np.unique(labels[part]) for part in parts.values())
        if not np.array_equal(held, rest):
            raise ValueError("the two subsets have different classes; labels that are sorted must be shuffled first")
    return parts[subset]


def write_pictures(iterator: Any, batch: np.ndarray, numbers: np.ndarray, names: int) -> None:
    """Write the pictures of a batch to the folder of an iterator that has one; ``names`` bounds a drawn suffix."""
    if not iterator.save_to_dir:
        return
    for picture, number in zip(batch, numbers):
        name = f"{iterator.save_prefix}_{number}_{np.random.randint(names)}.{iterator.save_format}"
        array_to_img(picture, iterator.data_format).save(os.path.join(iterator.save_to_dir, name))
