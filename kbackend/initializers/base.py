"""The base class of initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import registry
from kbackend.ground.public import Public


class Initializer(Public):
    """Base class: ``initializer(shape, dtype=None)`` gives the initial value.

    Shapes: any that the initializer can fill; the value has the shape that was given.

    Raises:
        NotImplementedError: a subclass without ``__call__``, when it is called.

    >>> from kbackend import K, initializers
    >>> class Counting(initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return K.reshape(K.arange(shape[0] * shape[1], dtype=dtype or "float32"), shape)
    >>> K.eval(Counting()((2, 2))).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return registry.text(self)
