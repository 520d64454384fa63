"""Tokens as their places in a vocabulary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.call import to_numpy
from kbackend.layers.arguments import one_of
from kbackend.layers.preprocessing.categories import MODES, dense_only
from kbackend.layers.preprocessing.hashing import bin_of
from kbackend.layers.preprocessing.host import HostLayer, encoded_shape, for_each, host_encoded, salted, texts

_SPELLINGS = {"binary": "multi_hot", "tf-idf": "tf_idf"}
#: the place of masked tokens where places become vectors: none
_NOWHERE = np.iinfo(np.int64).max


class Lookup(HostLayer):
    """Base class: a table from tokens to places; see :class:`StringLookup`."""

    arguments: tuple[str, ...] = (
        "max_tokens", "num_oov_indices", "mask_token", "oov_token", "vocabulary", "idf_weights", "invert",
        "output_mode", "pad_to_max_tokens", "sparse", "salt",
    )  # fmt: skip

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": kwargs.get("dtype") or "int64"})
        label = self.label
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"{label}: max_tokens must be above 1, it is {max_tokens!r}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{label}: pad_to_max_tokens needs max_tokens")
        if num_oov_indices < 0:
            raise ValueError(f"{label}: num_oov_indices must be 0 or more, it is {num_oov_indices!r}")
        self.output_mode = one_of(
            _SPELLINGS.get(output_mode, output_mode), (*MODES, "tf_idf"), "output_mode", label
        )
        if invert and self.output_mode != "int":
            raise ValueError(f"{label}: invert needs output_mode='int', it is {output_mode!r}")
        dense_only(sparse, label)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.pad_to_max_tokens, self.sparse = invert, pad_to_max_tokens, sparse
        self.salt = salted(salt, label)
        self._tokens: list[Any] = []
        self._places: dict[Any, int] = {}
        self._idf: np.ndarray | None = None
        self._given = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise ValueError(f"{label}: idf_weights need the vocabulary that they belong to")

    # the vocabulary -----------------------------------------------------------------------------------------

    @property
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _start(self) -> int:
        """The place of the first token of the vocabulary."""
        return self._oov_start + self.num_oov_indices

    @property
    def vocabulary(self) -> list[Any] | None:
        """The tokens without the mask and those outside of the vocabulary; None before there are any."""
        return list(self._tokens) if self._tokens else None

    @property
    def idf_weights(self) -> list[float] | None:
        """The weights of the tokens of ``vocabulary`` with 'tf_idf', or None."""
        return None if self._idf is None else self._idf.tolist()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens by their places.

        Args:
            include_special_tokens: also the mask and the places outside of the vocabulary.
        """
        special = [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices
        return [*(special if include_special_tokens else ()), *self._tokens]

    def vocabulary_size(self) -> int:
        """The number of places."""
        return self._start + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary in place of the one before.

        Args:
            vocabulary: a list or array of tokens, with or without the special ones in front, or the path of a text file
                with one token a line.
            idf_weights: the inverse document frequencies of the tokens, for 'tf_idf' and no other mode.

        Raises:
            ValueError: tokens that occur twice or are special ones; too many tokens; weights of another number, or
                missing. Nothing has changed then.
        """
        tokens = self._read(vocabulary)
        special = self.get_vocabulary()[: self._start]
        fronted = bool(special) and tokens[: len(special)] == special
        tokens = tokens[len(special) :] if fronted else tokens
        self._check_tokens(tokens)
        weights = self._checked_weights(tokens, idf_weights, len(special) if fronted else 0)
        self._take(tokens, weights)

    def _read(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, (str, Path)):
            lines = Path(vocabulary).read_text(encoding="utf-8").splitlines()
            return [self._token(line) for line in lines if line]
        return self._values(vocabulary).ravel().tolist()

    def _check_tokens(self, tokens: list[Any]) -> None:
        if not tokens:
            raise ValueError(f"{self.label}: the vocabulary is empty")
        twice = [token for token, count in Counter(tokens).items() if count > 1]
        if twice:
            raise ValueError(f"{self.label}: the vocabulary holds tokens more than once: {twice[:10]!r}")
        reserved = [self.mask_token] if self.mask_token is not None else []
        reserved += [self.oov_token] if self.invert or self.num_oov_indices else []
        wrong = [token for token in reserved if token in set(tokens)]
        if wrong:
            raise ValueError(
                f"{self.label}: the vocabulary holds the special tokens {wrong!r}; leave them out, or put all "
                f"{self._start} in front"
            )
        if self.max_tokens is not None and self._start + len(tokens) > self.max_tokens:
            raise ValueError(
                f"{self.label}: the vocabulary has {len(tokens)} tokens, with {self._start} special ones more than "
                f"max_tokens, {self.max_tokens}"
            )

    def _checked_weights(self, tokens: list[Any], weights: Any, front: int) -> np.ndarray | None:
        if self.output_mode != "tf_idf":
            if weights is not None:
                raise ValueError(f"{self.label}: idf_weights need output_mode='tf_idf', it is {self.output_mode!r}")
            return None
        if weights is None:
            raise ValueError(f"{self.label}: a vocabulary with output_mode='tf_idf' needs idf_weights")
        found = np.asarray(weights, np.float64)
        if found.shape not in ((len(tokens),), (front + len(tokens),)):
            raise ValueError(f"{self.label}: {len(tokens)} tokens need as many idf_weights, they have {found.shape}")
        return found[len(found) - len(tokens) :]

    def _take(self, tokens: list[Any], weights: np.ndarray | None) -> None:
        self._tokens, self._idf = tokens, weights
        self._places = {token: place for place, token in enumerate(tokens, self._start)}

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the vocabulary from data: the most frequent tokens first, those of one count from the last in order.

        Args:
            data: an array or list of tokens, of which each row is a document, or an iterable of such batches.
            batch_size: accepted as by Keras.
            steps: take so many batches of an iterable; all when None.

        Raises:
            ValueError: the layer was given its vocabulary, or there are no tokens.
        """
        whole = isinstance(data, (list, tuple)) or hasattr(data, "shape")
        batches = [data] if whole else data
        documents: list[list[Any]] = []
        for i, batch in enumerate(batches):
            if steps is not None and i >= steps:
                break
            documents += self._documents(batch, whole)
        self.adapt_documents(documents)

    def adapt_documents(self, documents: list[list[Any]]) -> None:
        """:meth:`adapt` to lists of tokens."""
        if self._given:
            raise ValueError(f"{self.label} has the vocabulary that it was given; leave it out to adapt the layer")
        counts = Counter(token for document in documents for token in document)
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        if not counts:
            raise ValueError(f"{self.label} was given no tokens to adapt to")
        ordered = sorted(counts, key=lambda token: (counts[token], self._order(token)), reverse=True)
        if self.max_tokens is not None:
            ordered = ordered[: self.max_tokens - self._start]
        weights = None
        if self.output_mode == "tf_idf":
            within = Counter(token for document in documents for token in set(document))
            weights = np.array([np.log(1 + len(documents) / (1 + within[token])) for token in ordered])
        self._take(ordered, weights)

    def _documents(self, batch: Any, whole: bool) -> list[list[Any]]:
        values = self._values(batch)
        if values.ndim < 2:
            return [[v] for v in values.ravel().tolist()] if whole else [values.ravel().tolist()]
        return [row.ravel().tolist() for row in values]

    # the function -------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        if not self._tokens:
            raise ValueError(f"{self.label} has no vocabulary yet; give it one, or call adapt(data) first")
        if self.invert:
            return self._inverted(inputs)
        return self.in_mode(for_each(self._values(inputs), self._place))

    def in_mode(self, places: np.ndarray) -> np.ndarray:
        """Places as the layer's mode has them."""
        depth = self._depth()
        if self.output_mode != "tf_idf":
            return host_encoded(places, self.output_mode, depth, np.int64)
        assert self._idf is not None
        weights = np.zeros(depth)
        weights[: self._start] = self._idf.mean()
        weights[self._start : self.vocabulary_size()] = self._idf
        return (host_encoded(places, "count", depth, np.float64) * weights).astype(config.floatx())

    def _depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def _place(self, token: Any) -> int:
        if self.mask_token is not None and token == self.mask_token:
            return 0 if self.output_mode == "int" else _NOWHERE
        found = self._places.get(token)
        if found is not None:
            return found
        if not self.num_oov_indices:
            raise ValueError(
                f"{self.label}: {token!r} is not in the vocabulary, and num_oov_indices is 0; write 1 to give such "
                "tokens a place"
            )
        return self._oov_start + (self._outside(token) if self.num_oov_indices > 1 else 0)

    def _inverted(self, inputs: Any) -> np.ndarray:
        places = to_numpy(inputs) if hasattr(inputs, "shape") else np.asarray(inputs)
        table = self.get_vocabulary()
        found = np.empty(places.size, object)
        found[:] = [table[p] if 0 <= p < len(table) else self.oov_token for p in places.ravel().tolist()]
        return self._closed(found.reshape(places.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result; the layer does not change."""
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return encoded_shape(input_shape, mode, self._depth() if self._tokens else None)

    # what differs between strings and integers --------------------------------------------------------------

    def _values(self, values: Any) -> np.ndarray:
        """An array of tokens."""
        raise NotImplementedError

    def _token(self, line: str) -> Any:
        """The token of a line of a file."""
        raise NotImplementedError

    def _order(self, token: Any) -> Any:
        """What tokens are sorted by."""
        return token

    def _outside(self, token: Any) -> int:
        """Which of the places outside of the vocabulary a token has."""
        raise NotImplementedError

    def _closed(self, tokens: np.ndarray) -> np.ndarray:
        """What the inverse returns."""
        return tokens


class StringLookup(Lookup):
    """The place of each string in a vocabulary.

    Args:
        max_tokens: the most places, special ones included; None for no limit.
        num_oov_indices: how many places strings outside of the vocabulary have, by their hash; 0 refuses them.
        mask_token: the string whose place is 0 ('int'), or which counts for nothing; None for none.
        oov_token: what the inverse gives for unknown places.
        vocabulary: a list or array of strings, or the path of a file with one a line; :meth:`adapt` finds one when
            None.
        idf_weights: the weights of the vocabulary, for 'tf_idf'.
        invert: from places to strings.
        output_mode: 'int'; 'one_hot', a vector for each string; 'multi_hot', 'count' or 'tf_idf' (counts times inverse
            document frequencies), one for each sample along the last axis.
        pad_to_max_tokens: vectors have the length ``max_tokens``.
        sparse: not supported.
        encoding: of bytes.
        salt: an integer or two, the key of the hash.

    The places are the mask's (for 'int'), those of strings outside, then those of the vocabulary. Called on arrays or
    lists; gives int64, with ``invert`` an array of strings, with 'tf_idf' floatx.

    Raises:
        ValueError: arguments that do not fit, a string outside of the vocabulary without a place for it.
        TypeError: symbolic tensors.

    >>> from kbackend import layers
    >>> layer = layers.StringLookup(vocabulary=["a", "b"])
    >>> layer([["a", "c"], ["b", "b"]]).tolist()
    [[1, 0], [2, 2]]
    """

    arguments = (*Lookup.arguments, "encoding")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **kwargs,
        )  # fmt: skip

    def _values(self, values: Any) -> np.ndarray:
        return texts(values, self.encoding)

    def _token(self, line: str) -> str:
        return line

    def _order(self, token: str) -> bytes:
        return token.encode()

    def _outside(self, token: str) -> int:
        return bin_of(self.num_oov_indices, self.salt)(token)


class IntegerLookup(Lookup):
    """The place of each integer in a vocabulary.

    Args:
        max_tokens, num_oov_indices, vocabulary, idf_weights, invert, output_mode, sparse, pad_to_max_tokens: as those
            of :class:`StringLookup`.
        mask_token, oov_token: integers.
        vocabulary_dtype: the dtype of what the inverse gives, 'int64' or 'int32'.
        oov_method: which of several places an integer outside of the vocabulary has: 'floormod', its remainder, or
            'farmhash', the hash of its digits.
        salt: an integer or two, the key of the hash, with 'farmhash'.

    Shapes as :class:`StringLookup`, of integers.

    Raises:
        ValueError: a salt without ``oov_method="farmhash"``; tokens that are no integers.

    >>> from kbackend import layers
    >>> layers.IntegerLookup(vocabulary=[12, 36])([[12, 7], [36, 36]]).tolist()
    [[1, 0], [2, 2]]
    """

    arguments = (*Lookup.arguments, "vocabulary_dtype", "oov_method")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        label = f"layer {name or 'integer_lookup'} (IntegerLookup)"
        self.vocabulary_dtype = one_of(vocabulary_dtype, ("int64", "int32"), "vocabulary_dtype", label)
        self.oov_method = one_of(oov_method, ("floormod", "farmhash"), "oov_method", label)
        if salt is not None and oov_method != "farmhash":
            raise ValueError(f"{label}: salt needs oov_method='farmhash', it is {oov_method!r}")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **kwargs,
        )  # fmt: skip

    def _values(self, values: Any) -> np.ndarray:
        array = to_numpy(values) if hasattr(values, "shape") else np.asarray(values)
        if array.dtype.kind not in "iub" and array.size and (array != np.floor(array)).any():
            raise ValueError(f"{self.label}: tokens must be integers, they are {array.dtype}")
        return array.astype(np.int64)

    def _token(self, line: str) -> int:
        return int(line)

    def _outside(self, token: int) -> int:
        if self.oov_method == "floormod":
            return token % self.num_oov_indices
        return bin_of(self.num_oov_indices, self.salt)(str(token))

    def _closed(self, tokens: np.ndarray) -> np.ndarray:
        return tokens.astype(self.vocabulary_dtype)


__all__ = ["IntegerLookup", "StringLookup"]
