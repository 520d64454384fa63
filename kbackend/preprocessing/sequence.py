"""Series and sequences of numbers: padding, pairs of words for skip-grams, windows over a series."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence as Sequenced
from typing import Any

import numpy as np

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.training.sources.sequence import PyDataset
from kbackend.utils.numerical import pad_sequences

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]

#: Euler's constant to the digits that Keras 2 uses
_GAMMA = 0.577


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probabilities at which words of each rank are kept, so that frequent words do not prevail.

    With the frequency f of a rank after Zipf's law, ``1 / f = r (ln r + 0.577) + 1/2 - 1 / (12 r)``, a word is kept
    with probability ``min(1, sqrt(sampling_factor / f))`` (Mikolov et al., 2013).

    Args:
        size: the number of ranks; rank 0 counts as rank 1.
        sampling_factor: below which frequency all are kept.

    Returns:
        float64 of shape (size,).

    >>> from kbackend.preprocessing.sequence import make_sampling_table
    >>> make_sampling_table(3).round(5).tolist()
    [0.00315, 0.00315, 0.00548]
    """
    rank = np.maximum(np.arange(size), 1)
    inverse = rank * (np.log(rank) + _GAMMA) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse))


def skipgrams(
    sequence: Sequenced[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of words that stand near each other, and pairs with words drawn at random.

    Args:
        sequence: numbers of words; 0 is no word.
        vocabulary_size: one more than the largest number of a word.
        window_size: how far apart two words of a pair may stand.
        negative_samples: drawn pairs for each true one.
        shuffle: whether the pairs come in a drawn order.
        categorical: whether labels are ``[0, 1]`` and ``[1, 0]`` in place of 1 and 0.
        sampling_table: the probability at which each word is kept, see :func:`make_sampling_table`.
        seed: of the order; Python's ``random`` draws.

    Returns:
        The pairs, and their labels: 1 for true ones, 0 for drawn ones.

    >>> from kbackend.preprocessing.sequence import skipgrams
    >>> skipgrams([1, 2, 0, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1]], [1, 1])
    """
    true, false = ([0, 1], [1, 0]) if categorical else (1, 0)
    pairs: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word or sampling_table is not None and sampling_table[word] < random.random():
            continue
        start = max(0, place - window_size)
        around = enumerate(sequence[start : place + window_size + 1], start)
        pairs += [[word, other] for at, other in around if other and at != place]
    labels = [true] * len(pairs)
    if negative_samples > 0 and pairs:
        words = [word for word, _ in pairs]
        random.shuffle(words)
        count = int(len(pairs) * negative_samples)
        pairs += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [false] * count
    if shuffle:
        chosen = random.randint(0, 10_000_000) if seed is None else seed
        for values in (pairs, labels):  # one order for both
            random.seed(chosen)
            random.shuffle(values)
    return pairs, labels


class TimeseriesGenerator(PyDataset):
    """Batches of windows over a series, each with the target that follows it.

    Args:
        data: the series, by its steps: an array or a list.
        targets: as many as there are steps; a window that ends before step i gets target i.
        length: steps of the series that a window reaches back.
        sampling_rate: steps of the series between two steps of a window.
        stride: steps between two windows.
        start_index, end_index: the first and the last step that are used.
        shuffle: whether each batch is drawn, by NumPy's global generator.
        reverse: whether windows run backwards in time.
        batch_size: windows a batch.

    Raises:
        ValueError: other numbers of targets than of steps, or no window between the two indices.

    >>> from kbackend.preprocessing.sequence import TimeseriesGenerator
    >>> windows = TimeseriesGenerator(range(6), range(6), length=3, batch_size=2)
    >>> [(x.tolist(), y.tolist()) for x, y in windows]
    [([[0, 1, 2], [1, 2, 3]], [3, 4]), ([[2, 3, 4]], [5])]
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(f"there must be a target for each step: {len(data)} steps, {len(targets)} targets")
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"there is no window: the first would end at step start_index + length = {self.start_index}, after "
                f"end_index = {self.end_index}"
            )

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        ends = self._ends(index)
        windows = np.array([self.data[end - self.length : end : self.sampling_rate] for end in ends])
        targets = np.array([self.targets[end] for end in ends])
        return (windows[:, ::-1] if self.reverse else windows), targets

    def _ends(self, index: int) -> np.ndarray:
        if self.shuffle:
            return np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        step = self.batch_size * self.stride
        first = self.start_index + step * index
        return np.arange(first, min(first + step, self.end_index + 1), self.stride)

    def get_config(self) -> dict[str, Any]:
        """The arguments, with data and targets as JSON texts.

        Raises:
            TypeError: data or targets that JSON has no form for.
        """
        texts = {name: _json_text(name, getattr(self, name)) for name in ("data", "targets")}
        names = "length sampling_rate stride start_index end_index shuffle reverse batch_size".split()
        return texts | {name: getattr(self, name) for name in names}

    def to_json(self, **kwargs: Any) -> str:
        """The class and its configuration as JSON; ``kwargs`` are those of ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _json_text(name: str, values: Any) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray) else values)
    except TypeError as error:
        raise TypeError(f"{name} has no form in JSON: {error}") from None


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator of a text of ``TimeseriesGenerator.to_json``.

    Args:
        json_string: the text.

    >>> from kbackend.preprocessing.sequence import TimeseriesGenerator, timeseries_generator_from_json
    >>> text = TimeseriesGenerator([1, 2, 3], [4, 5, 6], length=2).to_json()
    >>> timeseries_generator_from_json(text)[0][1].tolist()
    [6]
    """
    config = dict(json.loads(json_string)["config"])
    config["data"], config["targets"] = json.loads(config["data"]), json.loads(config["targets"])
    config["start_index"] -= config["length"]  # the attribute is the end of the first window
    return TimeseriesGenerator(**config)


_suggest_in(__name__)
