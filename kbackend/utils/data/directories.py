"""Data sets of files, a folder for each class."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.utils.data.batches import MadeBatches, check_format, stacked
from kbackend.utils.images import img_to_array, load_img, resized
from kbackend.utils.numerical import to_categorical

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of pictures, read when they are needed.

    Args:
        directory: a folder with a folder of pictures (BMP, GIF, JPEG, PNG) for each class.
        labels: 'inferred' from the folders, a list with a label for each file in the order of their paths, or None.
        label_mode: 'int', 'categorical' (rows with a 1), 'binary' (0.0 or 1.0) or None (no labels).
        class_names: the folders in the order of the classes; sorted when None.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        batch_size: files a batch; None for one at a time.
        image_size: (height, width) in pixels that they are brought to.
        shuffle, seed: whether the order is drawn anew for each pass, and from which seed.
        validation_split: the part of the files that is held out.
        subset: 'training', 'validation', or 'both' for the two of them.
        interpolation: of :func:`kbackend.utils.load_img`.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio, pad_to_aspect_ratio: whether the middle part is taken, or borders are added, where shapes
            differ.
        data_format: 'channels_last' or 'channels_first'.
        format: taken for Keras's sake; batches are arrays of NumPy.
        verbose: whether the numbers of files and classes are printed.

    Returns:
        A sequence of batches with ``class_names`` and ``file_paths``; two for 'both'. Pictures are float32
        from 0 to 255.

    Raises:
        ValueError: no files, or arguments that do not fit.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import utils
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for kind in ("cat", "dog"):
    ...     (folder / kind).mkdir()
    ...     utils.save_img(folder / kind / "0.png", np.zeros((4, 4, 3)))
    >>> images, labels = utils.image_dataset_from_directory(folder, image_size=(8, 8))[0]
    Found 2 files of 2 classes.
    >>> images.shape, labels.shape
    ((2, 8, 8, 3), (2,))
    """
    check_format(format)

    def load(path: str) -> np.ndarray:
        image = load_img(path, color_mode)
        fitted = resized(image, image_size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio)
        return img_to_array(fitted, data_format, "float32")

    files = _Files(directory, _IMAGES, labels, label_mode, class_names, follow_links, verbose)
    return files.dataset(load, batch_size, shuffle, seed, validation_split, subset)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of texts from files in UTF-8 ('.txt'); texts are an array of str.

    Args:
        max_length: characters after which a text is cut; None for whole texts.

    The other arguments are those of :func:`image_dataset_from_directory`.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import utils
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for kind in ("good", "bad"):
    ...     (folder / kind).mkdir()
    ...     size = (folder / kind / "0.txt").write_text(kind)
    >>> texts, labels = utils.text_dataset_from_directory(folder, shuffle=False)[0]
    Found 2 files of 2 classes.
    >>> [str(t) for t in texts], labels.tolist()
    (['bad', 'good'], [0, 1])
    """
    check_format(format)

    def load(path: str) -> np.ndarray:
        return np.array(Path(path).read_text(encoding="utf-8")[:max_length], dtype=object)

    files = _Files(directory, (".txt",), labels, label_mode, class_names, follow_links, verbose)
    return files.dataset(load, batch_size, shuffle, seed, validation_split, subset)


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of sound (samples, channels) in [-1, 1] from WAV files with 16 bits a sample.

    Args:
        sampling_rate: samples per second that all files must have; any when None.
        output_sequence_length: samples to which a sound is cut or filled with zeros; those of the batch's longest when
            None.
        ragged: must be False.

    The other arguments are those of :func:`image_dataset_from_directory`.

    Raises:
        ValueError: a file with another rate or more bits; scipy.signal.resample changes rates.

    >>> import pathlib, tempfile, wave
    >>> from kbackend import utils
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for kind in ("low", "high"):
    ...     (folder / kind).mkdir()
    ...     with wave.open(str(folder / kind / "0.wav"), "wb") as file:
    ...         file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         file.writeframes(bytes(200))
    >>> sounds, labels = utils.audio_dataset_from_directory(folder)[0]
    Found 2 files of 2 classes.
    >>> sounds.shape, labels.shape
    ((2, 100, 1), (2,))
    """
    if ragged:
        raise ValueError("there are no ragged arrays; batches are filled with zeros to one length")

    def load(path: str) -> np.ndarray:
        sound = _wave(path, sampling_rate)
        if output_sequence_length is None:
            return sound
        whole = np.zeros((output_sequence_length, sound.shape[1]), np.float32)
        whole[: len(sound)] = sound[:output_sequence_length]
        return whole

    files = _Files(directory, (".wav",), labels, label_mode, class_names, follow_links, verbose)
    return files.dataset(load, batch_size, shuffle, seed, validation_split, subset)


def _wave(path: str, rate: int | None) -> np.ndarray:
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != 2 or rate is not None and file.getframerate() != rate:
            raise ValueError(
                f"{path} has {8 * file.getsampwidth()} bits at {file.getframerate()} Hz; 16 bits "
                f"{'' if rate is None else f'at {rate} Hz '}are needed"
            )
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return samples.astype(np.float32) / 32768.0


class _Files:
    """The files of a folder with their labels."""

    def __init__(
        self,
        directory: Any,
        endings: tuple[str, ...],
        labels: Any,
        label_mode: str | None,
        class_names: Sequence[str] | None,
        follow_links: bool,
        verbose: bool,
    ) -> None:
        if label_mode not in ("int", "categorical", "binary", None):
            raise ValueError(f"label_mode must be 'int', 'categorical', 'binary' or None, it is {label_mode!r}")
        root, inferred = Path(directory), isinstance(labels, str) and labels == "inferred"
        if isinstance(labels, str) and not inferred:
            raise ValueError(f"labels must be 'inferred', a list or None, they are {labels!r}")
        self.class_names = _classes(root, class_names) if inferred else [str(n) for n in class_names or ()]
        found = [
            (path, number)
            for number, folder in enumerate([root / n for n in self.class_names] if inferred else [root])
            for path in _paths(folder, endings, follow_links)
        ]
        if not found:
            raise ValueError(f"{root} has no files with the endings {', '.join(endings)}")
        self.paths = [path for path, _ in found]
        self.mode = label_mode if labels is not None else None
        given = [number for _, number in found] if inferred or labels is None else list(labels)
        if len(given) != len(self.paths):
            raise ValueError(f"there are {len(given)} labels and {len(self.paths)} files")
        self.labels = np.asarray(given)
        self.count = len(self.class_names) or int(self.labels.max()) + 1
        if self.mode == "binary" and self.count != 2:
            raise ValueError(f"label_mode='binary' needs two classes, there are {self.count}")
        if verbose:
            print(f"Found {len(self.paths)} files" + (f" of {self.count} classes." if self.mode else "."))

    def dataset(
        self,
        load: Callable[[str], np.ndarray],
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
        split: float | None,
        subset: str | None,
    ) -> Any:
        if (split is None) != (subset is None):
            raise ValueError("validation_split and subset must be given together")
        numbers = np.arange(len(self.paths))
        if split is None:
            return self._batches(load, numbers, batch_size, shuffle, seed)
        if not 0 < split < 1:
            raise ValueError(f"validation_split must lie between 0 and 1, it is {split}")
        if subset not in ("training", "validation", "both"):
            raise ValueError(f"subset must be 'training', 'validation' or 'both', it is {subset!r}")
        if shuffle and seed is None:
            raise ValueError("a split of files in a drawn order needs a seed, so that the parts do not share files")
        numbers = np.random.default_rng(seed).permutation(numbers) if shuffle else numbers
        at = len(numbers) - int(len(numbers) * split)
        parts = {"training": numbers[:at], "validation": numbers[at:]}
        wanted = parts if subset == "both" else [subset]
        made = [self._batches(load, parts[name], batch_size, shuffle, seed) for name in wanted]
        return tuple(made) if subset == "both" else made[0]

    def _batches(
        self, load: Callable[[str], np.ndarray], numbers: np.ndarray, size: int | None, shuffle: bool, seed: int | None
    ) -> MadeBatches:
        def make(chosen: np.ndarray) -> Any:
            loaded = stacked([load(self.paths[i]) for i in chosen])
            labels = self._labels(chosen)
            if size is None:
                return loaded[0] if labels is None else (loaded[0], labels[0])
            return loaded if labels is None else (loaded, labels)

        batches: Any = MadeBatches(make, numbers, size, shuffle, seed)
        batches.class_names = self.class_names
        batches.file_paths = [self.paths[i] for i in numbers]
        return batches

    def _labels(self, chosen: np.ndarray) -> np.ndarray | None:
        labels = self.labels[chosen]
        if self.mode is None:
            return None
        if self.mode == "categorical":
            return to_categorical(labels, self.count)
        return labels.astype(np.float32)[:, None] if self.mode == "binary" else labels.astype(np.int32)


def _classes(root: Path, wanted: Sequence[str] | None) -> list[str]:
    found = sorted(path.name for path in root.iterdir() if path.is_dir())
    if wanted is None:
        return found
    if set(wanted) != set(found):
        raise ValueError(f"class_names are {sorted(wanted)}, the folders {found}")
    return list(wanted)


def _paths(folder: Path, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    return sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(folder, followlinks=follow_links)
        for name in names
        if name.lower().endswith(endings)
    )
