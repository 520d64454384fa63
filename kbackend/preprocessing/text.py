"""Texts as words, words as numbers, texts as rows of a matrix."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kbackend.ground.public import Public
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def text_to_word_sequence(text: str, filters: str = _FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    Args:
        text: the text.
        filters: characters that separate words beside ``split``.
        lower: whether words are in lower case.
        split: what separates words.

    >>> from kbackend.preprocessing.text import text_to_word_sequence
    >>> text_to_word_sequence("Well, it's (almost) done!")
    ['well', "it's", 'almost', 'done']
    """
    separators = {ord(character): split for character in filters}
    plain = (text.lower() if lower else text).translate(separators)
    return [word for word in plain.split(split) if word]


def one_hot(text: str, n: int, filters: str = _FILTERS, lower: bool = True, split: str = " ") -> list[int]:
    """The words of a text as numbers in [1, n), by Python's ``hash``, which differs from process to process.

    Args:
        text, filters, lower, split: as in :func:`text_to_word_sequence`.
        n: the size of the vocabulary.

    >>> from kbackend.preprocessing.text import one_hot
    >>> numbers = one_hot("the cat the mat", 100)
    >>> len(numbers), numbers[0] == numbers[2], all(0 < number < 100 for number in numbers)
    (4, True, True)
    """
    return hashing_trick(text, n, hash, filters, lower, split)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """The words of a text as numbers in [1, n) by a hash; different words may get the same number.

    Args:
        text, filters, lower, split: as in :func:`text_to_word_sequence`.
        n: the size of the vocabulary.
        hash_function: from words to integers; 'md5' for one that is the same in each process; Python's when None.

    Raises:
        ValueError: the name of another hash than 'md5'.

    >>> from kbackend.preprocessing.text import hashing_trick
    >>> hashing_trick("the cat the mat", 100, "md5")
    [51, 3, 51, 26]
    """
    if isinstance(hash_function, str) and hash_function != "md5":
        raise ValueError(f"hash_function must be 'md5', None or a function, it is {hash_function!r}")
    number = _md5 if hash_function == "md5" else hash_function or hash
    words = text_to_word_sequence(text, filters, lower, split)
    return [number(word) % (n - 1) + 1 for word in words]  # type: ignore[operator]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer(Public):
    """Numbers for words, most frequent first, learnt from texts. No word has the number 0.

    Args:
        num_words: numbers from this on are left out of sequences and matrices; all are used when None.
        filters, lower, split: as in :func:`text_to_word_sequence`.
        char_level: whether characters take the place of words.
        oov_token: the word that takes the place of unknown ones, and gets the number 1; they are left out when None.
        document_count: texts that were seen before.
        **kwargs: ``nb_words`` alone, Keras 1's name of ``num_words``.

    Attributes:
        word_counts: how often each word was seen.
        word_docs, index_docs: in how many texts each word, or number, was seen.
        word_index, index_word: from words to numbers and back.

    Raises:
        TypeError: an unknown argument.

    >>> from kbackend.preprocessing.text import Tokenizer
    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat sat", "the mat"])
    >>> tokenizer.texts_to_sequences(["the dog sat"])
    [[2, 1, 4]]
    >>> tokenizer.sequences_to_texts([[2, 3, 9]])
    ['the cat ?']
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn("nb_words of Tokenizer is called num_words now", stacklevel=2)
            num_words = kwargs.pop("nb_words")
        if kwargs:
            raise TypeError(f"Tokenizer has no argument {', '.join(map(repr, kwargs))}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.document_count = char_level, oov_token, document_count
        self.word_counts: dict[str, int] = OrderedDict()
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Learn the words of more texts; a text may be a list of words."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        first = [] if self.oov_token is None else [self.oov_token]
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        self.word_index = {word: number for number, word in enumerate([*first, *ranked], 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count in how many sequences each number occurs, where there are no texts."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def _words(self, text: Any) -> Any:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """As :meth:`texts_to_sequences`, one text at a time."""
        for text in texts:
            numbers = (self._used(self.word_index.get(word)) for word in self._words(text))
            yield [number for number in numbers if number is not None]

    def _used(self, number: int | None) -> int | None:
        """The number, or that of unknown words where it is unknown or past ``num_words``."""
        if number is None or self.num_words and number >= self.num_words:
            return self.word_index.get(self.oov_token)  # type: ignore[arg-type]
        return number

    def sequences_to_texts(self, sequences: Iterable[Any]) -> list[str]:
        """The words of each sequence, with blanks between them."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Any]) -> Iterator[str]:
        """As :meth:`sequences_to_texts`, one sequence at a time."""
        for sequence in sequences:
            numbers = (self._used(number if number in self.index_word else None) for number in sequence)
            yield " ".join(self.index_word[number] for number in numbers if number is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """A row for each text; see :meth:`sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """A row for each sequence, with a column for each number.

        Args:
            sequences: lists of numbers; those from ``num_words`` on are left out.
            mode: 'binary' (1 where it occurs), 'count', 'freq' (counts by length of the sequence) or 'tfidf'
                ((1 + ln count) ln(1 + texts / (1 + texts with it))).

        Returns:
            float64 of shape (sequences, num_words), or the number of words and one where that is None.

        Raises:
            ValueError: another mode, no words learnt and no ``num_words``, or 'tfidf' before any text was seen.
        """
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, it is {mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError("how many columns there are is not known: give num_words, or call fit_on_texts first")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("'tfidf' needs the counts of texts: call fit_on_texts or fit_on_sequences first")
        matrix = np.zeros((len(sequences), self.num_words or len(self.word_index) + 1))
        for row, sequence in zip(matrix, sequences):
            for number, count in Counter(sequence).items():
                if number < len(row):
                    row[number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "tfidf":
            rarity = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + np.log(count)) * rarity
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def get_config(self) -> dict[str, Any]:
        """The arguments, and the tables of words as JSON texts."""
        names = "num_words filters lower split char_level oov_token document_count".split()
        tables = {name: json.dumps(getattr(self, name)) for name in _TABLES}
        return {name: getattr(self, name) for name in names} | tables

    def to_json(self, **kwargs: Any) -> str:
        """The class and its configuration as JSON; ``kwargs`` are those of ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer of a text of ``Tokenizer.to_json``.

    Args:
        json_string: the text.

    >>> from kbackend.preprocessing.text import Tokenizer, tokenizer_from_json
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["to be or not to be"])
    >>> tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(["not to be"])
    [[4, 1, 2]]
    """
    config = dict(json.loads(json_string)["config"])
    tables = {name: json.loads(config.pop(name)) for name in _TABLES}
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts = OrderedDict(tables["word_counts"])
    tokenizer.word_docs = defaultdict(int, tables["word_docs"])
    tokenizer.word_index = tables["word_index"]
    # the keys of JSON's objects are texts
    tokenizer.index_docs = defaultdict(int, {int(number): count for number, count in tables["index_docs"].items()})
    tokenizer.index_word = {int(number): word for number, word in tables["index_word"].items()}
    return tokenizer


_suggest_in(__name__)
