"""50,000 reviews of films as numbers of words, good or bad, from a local copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.datasets.local import located, pickled
from kbackend.datasets.words import Choice, as_array, index_of, num_words_of

__all__ = ["get_word_index", "load_data"]

_FORM = (
    "x_train, y_train, x_test and y_test as an archive of NumPy (.npz), reviews as arrays of lists of numbers and "
    "labels 0 and 1"
)


def load_data(
    path: Any = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The reviews, in a drawn order, split for training and testing.

    Args:
        path: the file, or its name in the folders of ``KBACKEND_DATASETS``, ``~/.kbackend/datasets`` or
            ``~/.keras/datasets``.
        num_words: numbers from this on become ``oov_char``; from the largest number on when None.
        skip_top: numbers below become it too.
        maxlen: reviews of this length or more are left out.
        seed: of the order.
        start_char: put before each review, None for nothing.
        oov_char: the number of words that are not kept; they are left out when None.
        index_from: added to the numbers of the file.
        kwargs: ``nb_words``, the old name of ``num_words``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of numbers, and labels.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else. It has pickles, of which only data is taken.
        ValueError: no review is shorter than ``maxlen``.

    Source: A. Maas et al., Learning word vectors for sentiment analysis, 2011.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend.datasets import imdb
    >>> path = pathlib.Path(tempfile.mkdtemp(), "imdb.npz")
    >>> reviews = np.array([[1, 2, 3], [2, 9]], object)
    >>> np.savez(path, x_train=reviews, y_train=[1, 0], x_test=reviews, y_test=[1, 0])
    >>> (x_train, y_train), _ = imdb.load_data(path, num_words=10)
    >>> sorted(zip(y_train.tolist(), x_train))
    [(0, [1, 5, 2]), (1, [1, 4, 5, 6])]
    """
    choice = Choice(num_words_of(num_words, kwargs), skip_top, maxlen, start_char, oov_char, index_from)
    x_train, y_train, x_test, y_test = pickled(located(path, _FORM), ["x_train", "y_train", "x_test", "y_test"])
    generator = np.random.RandomState(seed)
    order = np.arange(len(x_train))
    generator.shuffle(order)
    train, train_labels = choice.short(x_train[order], y_train[order])
    order = np.arange(len(x_test))
    generator.shuffle(order)
    test, test_labels = choice.short(x_test[order], y_test[order])
    texts = choice.common(train + test)
    return (as_array(texts[: len(train)]), train_labels), (as_array(texts[len(train) :]), test_labels)


def get_word_index(path: Any = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, as the file has it: :func:`load_data` adds ``index_from``.

    Args:
        path: the file, or its name in the same folders.

    Raises:
        FileNotFoundError: it is not there; the message says where it may be put and what it holds.
        FormatError: the file holds something else.

    >>> import pathlib, tempfile
    >>> from kbackend.datasets import imdb
    >>> path = pathlib.Path(tempfile.mkdtemp(), "imdb_word_index.json")
    >>> _ = path.write_text('{"the": 1, "film": 17}')
    >>> imdb.get_word_index(path)["film"]
    17
    """
    return index_of(located(path, "a number for each word, as JSON"))
