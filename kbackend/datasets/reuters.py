"""11,228 news as numbers of words, of 46 topics, from a local copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.datasets.local import located, pickled
from kbackend.datasets.words import Choice, as_array, index_of, num_words_of

__all__ = ["get_word_index", "load_data"]

_FORM = "x and y as an archive of NumPy (.npz), news as an array of lists of numbers and topics 0 to 45"


def load_data(
    path: Any = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The news, in a drawn order, split for training and testing.

    Args:
        path: the file, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets`` or
            ``~/.keras/datasets``.
        num_words, skip_top, maxlen, seed, start_char, oov_char, index_from, kwargs: as for
            :func:`kbackend.datasets.imdb.load_data`.
        test_split: the fraction for testing.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of numbers, and topics.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else. It has pickles, of which only data is taken.
        ValueError: no text is shorter than ``maxlen``.

    Source: D. Lewis, Reuters-21578 text categorization test collection, 1997.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import reuters
    >>> path = pathlib.Path(tempfile.mkdtemp(), "reuters.npz")
    >>> np.savez(path, x=np.array([[1, 2, 3], [2, 9]], object), y=[3, 45])
    >>> (x_train, y_train), (x_test, y_test) = reuters.load_data(path, num_words=10, test_split=0)
    >>> sorted(zip(y_train.tolist(), x_train))
    [(3, [1, 4, 5, 6]), (45, [1, 5, 2])]
    """
    choice = Choice(num_words_of(num_words, kwargs), skip_top, maxlen, start_char, oov_char, index_from)
    x, y = pickled(located(path, _FORM), ["x", "y"])
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    short, labels = choice.short(x[order], y[order])
    texts = choice.common(short)
    count = int(len(texts) * (1 - test_split))
    return (as_array(texts[:count]), labels[:count]), (as_array(texts[count:]), labels[count:])


def get_word_index(path: Any = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, as the file has it: :func:`load_data` adds ``index_from``.

    Args:
        path: the file, or its name in the same folders.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else.

    >>> import pathlib, tempfile
    >>> from kbackend.datasets import reuters
    >>> path = pathlib.Path(tempfile.mkdtemp(), "reuters_word_index.json")
    >>> _ = path.write_text('{"the": 1, "oil": 17}')
    >>> reuters.get_word_index(path)["oil"]
    17
    """
    return index_of(located(path, "a number for each word, as JSON"))
