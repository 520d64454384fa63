"""Text as tokens, and tokens as integers or vectors."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend.layers.arguments import one_of, positive
from kbackend.layers.preprocessing.categories import MODES
from kbackend.layers.preprocessing.host import HostLayer, for_each, texts
from kbackend.layers.preprocessing.lookup import _SPELLINGS, StringLookup

_STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_SPACES = re.compile(r"[ \t\n\r\f\v]+")


class TextVectorization(HostLayer):
    """Text as the integers of its tokens, or as a vector.

    Args:
        max_tokens: the most tokens of the vocabulary, special ones included.
        standardize: 'lower_and_strip_punctuation', 'lower' (of ASCII letters), 'strip_punctuation', a function of an
            array of strings, or None.
        split: 'whitespace', 'character', a function from an array of strings to lists of tokens, or None.
        ngrams: join neighbours: an integer for groups of up to so many tokens, a tuple for groups of those sizes.
        output_mode: 'int', or a vector for each text: 'multi_hot', 'count' or 'tf_idf' ('one_hot' for each token).
        output_sequence_length: the length to which 'int' results are cut or filled with 0; that of the longest when
            None.
        pad_to_max_tokens, vocabulary, idf_weights, sparse, encoding: as those of :class:`StringLookup`.
        ragged: not supported.

    For 'int' the place 0 is padding and 1 a token outside of the vocabulary. Called on (batch,) or (batch, 1) strings,
    as an array or list; gives (batch, length) int64, or (batch, places).

    Raises:
        ValueError: arguments that do not fit; texts of another rank; a call before there is a vocabulary.
        TypeError: symbolic tensors.

    >>> from kbackend import layers
    >>> layer = layers.TextVectorization(vocabulary=["the", "cat"], output_sequence_length=4)
    >>> layer(["The cat!", "A cat."]).tolist()
    [[2, 3, 0, 0], [1, 3, 0, 0]]
    """

    arguments = (
        "max_tokens", "standardize", "split", "ngrams", "output_mode", "output_sequence_length", "pad_to_max_tokens",
        "vocabulary", "idf_weights", "sparse", "ragged", "encoding",
    )  # fmt: skip

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[[Any], Any] | None = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **{**kwargs, "dtype": kwargs.get("dtype") or "int64"})
        label = self.label
        self.standardize = standardize
        if standardize is not None and not callable(standardize):
            self.standardize = one_of(standardize, _STANDARDS, "standardize", label)
        self.split = split
        if split is not None and not callable(split):
            self.split = one_of(split, _SPLITS, "split", label)
        self.ngrams = ngrams
        sizes = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams or ()
        self._sizes = tuple(positive(n, "ngrams", label) for n in sizes)
        self.output_mode = one_of(
            _SPELLINGS.get(output_mode, output_mode), (*MODES, "tf_idf"), "output_mode", label
        )
        if output_sequence_length is not None:
            if self.output_mode != "int":
                raise ValueError(f"{label}: output_sequence_length needs output_mode='int', it is {output_mode!r}")
            positive(output_sequence_length, "output_sequence_length", label)
        self.output_sequence_length = output_sequence_length
        if ragged:
            raise ValueError(f"{label}: ragged=True is not supported, results are filled with 0; write ragged=False")
        self.max_tokens, self.pad_to_max_tokens = max_tokens, pad_to_max_tokens
        self.sparse, self.ragged, self.encoding = sparse, ragged, encoding
        self._lookup = StringLookup(
            max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights, output_mode=self.output_mode,
            pad_to_max_tokens=pad_to_max_tokens, sparse=sparse, encoding=encoding, name=self.name,
        )  # fmt: skip

    @property
    def vocabulary(self) -> list[str] | None:
        """The tokens without the special ones; None before there are any."""
        return self._lookup.vocabulary

    @property
    def idf_weights(self) -> list[float] | None:
        """The weights of the tokens with 'tf_idf', or None."""
        return self._lookup.idf_weights

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens by their places; see :meth:`StringLookup.get_vocabulary`."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of places."""
        return self._lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary in place of the one before; see :meth:`StringLookup.set_vocabulary`."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the vocabulary from texts, an array, a list or an iterable of batches; as :meth:`StringLookup.adapt`."""
        whole = isinstance(data, (list, tuple)) or hasattr(data, "shape")
        documents: list[list[str]] = []
        for i, batch in enumerate([data] if whole else data):
            if steps is not None and i >= steps:
                break
            documents += self._tokens(batch)
        self._lookup.adapt_documents(documents)

    def call(self, inputs: Any) -> Any:
        if not self._lookup.vocabulary:
            raise ValueError(f"{self.label} has no vocabulary yet; give it one, or call adapt(data) first")
        documents = self._tokens(inputs)
        width = max(map(len, documents), default=0)
        filled = np.full((len(documents), width), "", object)
        for row, tokens in zip(filled, documents):
            row[: len(tokens)] = tokens
        if self.output_mode != "int":
            return self._lookup(filled)
        places = for_each(filled, self._lookup._place)
        wanted = self.output_sequence_length
        if wanted is None:
            return places
        return np.pad(places[:, :wanted], ((0, 0), (0, max(wanted - width, 0))))

    def _tokens(self, inputs: Any) -> list[list[str]]:
        """The tokens of each text."""
        values = texts(inputs, self.encoding)
        if self.split is None:
            values = self._standard(values)
            rows = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
            return [self._joined(list(row)) for row in rows]
        if values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1):
            raise ValueError(f"{self.label}: texts must be (batch,) or (batch, 1), their shape is {values.shape}")
        return [self._joined(list(tokens)) for tokens in self._apart(self._standard(values.reshape(-1)))]

    def _standard(self, values: np.ndarray) -> np.ndarray:
        if self.standardize is None:
            return values
        if callable(self.standardize):
            return texts(self.standardize(values.astype(str)), self.encoding)
        found = values.ravel().tolist()
        if "lower" in self.standardize:
            found = [text.translate(_LOWER) for text in found]
        if "strip" in self.standardize:
            found = [text.translate(_PUNCTUATION) for text in found]
        made = np.empty(len(found), object)
        made[:] = found
        return made.reshape(values.shape)

    def _apart(self, values: np.ndarray) -> list[Any]:
        if callable(self.split):
            return [list(texts(tokens, self.encoding)) for tokens in self.split(values.astype(str))]
        if self.split == "character":
            return [list(text) for text in values]
        return [[token for token in _SPACES.split(text) if token] for text in values]

    def _joined(self, tokens: list[str]) -> list[str]:
        if not self._sizes:
            return tokens
        return [" ".join(tokens[i : i + n]) for n in self._sizes for i in range(len(tokens) - n + 1)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result; the layer does not change."""
        if self.output_mode == "int":
            return (input_shape[0], self.output_sequence_length)
        return self._lookup.compute_output_shape((input_shape[0], None))


__all__ = ["TextVectorization"]
