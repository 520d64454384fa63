"""Initializers that draw from a distribution with two parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.initializers.base import Initializer
from kbackend.ops.random.uniform import random_uniform
from kbackend.streams import TakenStream, stream_of

#: parameters up to this magnitude are finite in each float dtype
_MOST = 65504


class Drawn(Initializer):
    """Base class of draws with two parameters; the bits follow from the seed.

    Attributes:
        seed: a seed for these draws alone; the process' stream when None.
    """

    seed: Any

    def _distribution(self, shape: Sequence[int]) -> tuple[Callable[..., Tensor], Any, Any]:
        """The function that draws, and its parameters for a shape."""
        raise NotImplementedError

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        draw, first, second = self._distribution(shape)
        return draw(shape, first, second, dtype=dtype, seed=self.seed)


#: the call of this file, which programs of Keras 2 get another one for
_CALL = Drawn.__call__


def drawn_later(initializer: Any, shape: tuple[int, ...], dtype: str) -> Callable[[], Tensor] | None:
    """A function that makes the draw of an initializer, whose stream is taken now.

    Layers are built in less time without the nodes of their initial values, which files often replace.

    Returns:
        None where the class has a ``__call__`` of its own, or where making the draw may raise an error.
    """
    if not isinstance(initializer, Drawn) or type(initializer).__call__ is not _CALL:
        return None
    draw, first, second = initializer._distribution(shape)
    if not (_is_plain(first) and _is_plain(second) and dtypes.is_float(dtype) and all(d >= 0 for d in shape)):
        return None
    if draw is random_uniform and not first <= second:
        return None
    stream = taken_stream(draw, initializer.seed)
    return lambda: draw(shape, first, second, dtype=dtype, seed=stream)


def taken_stream(draw: Any, seed: Any) -> TakenStream:
    """The stream of the next draw of a function, as its seed when it is made."""
    return TakenStream(*stream_of(draw.op.name, seed))


def _is_plain(parameter: Any) -> bool:
    return type(parameter) in (int, float) and -_MOST <= parameter <= _MOST


__all__ = ["Drawn", "drawn_later", "taken_stream"]
