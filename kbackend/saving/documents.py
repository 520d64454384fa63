"""JSON documents inside files, within limits; checksums of what files hold."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kbackend.saving.errors import FormatError

#: bytes of a document
LARGEST_DOCUMENT = 1 << 28
#: lists and objects inside each other
DEEPEST_DOCUMENT = 200


def parsed(content: bytes | memoryview, member: str) -> Any:
    """The value of a JSON document in UTF-8.

    Raises:
        FormatError: it is no JSON, larger or deeper than the limits, or an object has a key twice.
    """
    if len(content) > LARGEST_DOCUMENT:
        raise FormatError(f"it has {len(content)} bytes, more than {LARGEST_DOCUMENT}", member)
    try:
        found = json.loads(bytes(content).decode(), object_pairs_hook=_unique)
    except RecursionError:
        raise FormatError(f"it is nested more than {DEEPEST_DOCUMENT} deep", member) from None
    except ValueError as error:
        raise FormatError(f"it is no JSON document: {error}", member) from None
    _check_depth(found, member)
    return found


def written(value: Any) -> bytes:
    """A JSON document, the same bytes for equal values. NaN and infinity are written as Keras and Python do.

    Raises:
        TypeError: a value that JSON does not have.
    """
    return json.dumps(value, indent=1).encode()


def checksum(content: Any) -> str:
    """The SHA-256 of bytes, or of what else is a buffer of them, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _check_depth(value: Any, member: str) -> None:
    level = [value]
    for _ in range(DEEPEST_DOCUMENT):
        level = [v for found in level for v in _children(found)]
        if not level:
            return
    raise FormatError(f"it is nested more than {DEEPEST_DOCUMENT} deep", member)


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def field(value: Any, key: str, kind: Any, member: str) -> Any:
    """An entry of an object, of a type.

    Raises:
        FormatError: the value is no object, has no such entry, or one of another type.
    """
    if not isinstance(value, dict) or key not in value:
        raise FormatError(f"the entry {key!r} is missing", member)
    found = value[key]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if type(found) not in kinds:
        wanted = " or ".join("null" if k is type(None) else k.__name__ for k in kinds)
        raise FormatError(f"the entry {key!r} must be of type {wanted}, it is {type(found).__name__}", member)
    return found
