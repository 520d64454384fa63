"""Arrays of classes and of unit length, with Keras 2's arguments."""

from __future__ import annotations

from typing import Any

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.utils import numerical
from kbackend.utils.numerical import normalize

__all__ = ["normalize", "to_categorical"]


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> Any:
    """Classes as rows with a 1 at the class; see :func:`kbackend.utils.to_categorical`.

    Args:
        y: integers from 0.
        num_classes: the length of the rows; one more than the largest class when None.
        dtype: of the rows.

    >>> from kbackend.utils.np_utils import to_categorical
    >>> to_categorical([1, 0], dtype="int32").tolist()
    [[0, 1], [1, 0]]
    """
    return numerical.to_categorical(y, num_classes).astype(dtype)


_suggest_in(__name__)
