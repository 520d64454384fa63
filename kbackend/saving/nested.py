"""Documents with arrays in them, kept apart: the document as JSON, the arrays as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend.saving.errors import FormatError

_ARRAY = "__array__"


def separated(value: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """A copy of a value with its arrays and NumPy numbers replaced by keys, and these by key.

    Args:
        value: numbers, texts, None, lists, tuples (which become lists), dicts by text, arrays.

    Raises:
        TypeError: something else; the message has its type.

    >>> document, arrays = separated({"best": [1.5, np.arange(2)]})
    >>> document, arrays["a0"].tolist()
    ({'best': [1.5, {'__array__': 'a0'}]}, [0, 1])
    >>> joined(document, arrays)["best"][1].tolist()
    [0, 1]
    """
    arrays: dict[str, np.ndarray] = {}

    def plain(part: Any) -> Any:
        if part is None or isinstance(part, (bool, int, str)) or type(part) is float:
            return part
        if isinstance(part, (np.ndarray, np.generic)):
            key = f"a{len(arrays)}"
            arrays[key] = np.array(part)
            return {_ARRAY: key}
        if isinstance(part, Mapping) and all(isinstance(key, str) for key in part):
            return {key: plain(inner) for key, inner in part.items()}
        if isinstance(part, (list, tuple)):
            return [plain(inner) for inner in part]
        raise TypeError(f"a checkpoint holds numbers, texts, lists, dicts by text and arrays, no {type(part).__name__}")

    return plain(value), arrays


def joined(document: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The value that :func:`separated` took apart; arrays without a dimension are NumPy numbers.

    Raises:
        FormatError: an array is missing.
    """
    if isinstance(document, dict):
        if set(document) == {_ARRAY}:
            if document[_ARRAY] not in arrays:
                raise FormatError(f"the array {str(document[_ARRAY])[:20]!r} is missing")
            found = arrays[document[_ARRAY]]
            return np.array(found) if found.ndim else found[()]
        return {key: joined(inner, arrays) for key, inner in document.items()}
    return [joined(inner, arrays) for inner in document] if isinstance(document, list) else document
