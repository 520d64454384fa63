"""Reviews and news as numbers of words, most frequent first: what IMDB and Reuters share."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kbackend.saving.errors import FormatError


class Choice(NamedTuple):
    """Which words are kept.

    Attributes:
        num_words: numbers from this on become ``oov_char``; None for the largest number.
        skip_top: numbers below become it too.
        maxlen: texts of this length or more are left out; None for none.
        start_char: put before each text, None for nothing.
        oov_char: the number of words that are not kept; they are left out when None.
        index_from: added to all numbers.
    """

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int

    def short(self, texts: Any, labels: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
        """The texts, with their start and moved numbers, that are not too long, and their labels.

        Raises:
            ValueError: none is.
        """
        start = [] if self.start_char is None else [self.start_char]
        moved = [[*start, *(word + self.index_from for word in text)] for text in texts]
        if not self.maxlen:
            return moved, labels
        places = [i for i, text in enumerate(moved) if len(text) < self.maxlen]
        if not places:
            raise ValueError(f"no text is shorter than maxlen={self.maxlen}")
        return [moved[i] for i in places], labels[places]

    def common(self, texts: list[list[int]]) -> list[list[int]]:
        """The texts with the words that are kept."""
        end = self.num_words or max(max(text, default=0) for text in texts)
        if self.oov_char is None:
            return [[w for w in text if self.skip_top <= w < end] for text in texts]
        return [[w if self.skip_top <= w < end else self.oov_char for w in text] for text in texts]


def num_words_of(num_words: int | None, others: dict[str, Any]) -> int | None:
    """``num_words``, by its old name too."""
    if "nb_words" in others:
        warnings.warn("nb_words is called num_words now", stacklevel=3)
        num_words = others.pop("nb_words")
    if others:
        raise TypeError(f"load_data has no argument {', '.join(map(repr, others))}")
    return num_words


def as_array(texts: list[list[int]]) -> np.ndarray:
    """An array of lists."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


def index_of(file: Path) -> dict[str, int]:
    """The numbers of words in a file of JSON.

    Raises:
        FormatError: it is none.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"it is no JSON: {error}", str(file)) from None
    if not isinstance(found, dict) or not all(isinstance(number, int) for number in found.values()):
        raise FormatError("it must hold a number for each word", str(file))
    return found
