"""The values that families draw; this module needs ``hypothesis``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st


class Draws:
    """Draws integers, options, shapes and axes; all shrink towards their first option."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def of(self, options: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(tuple(options)))

    def yes(self) -> bool:
        return self._draw(st.booleans())

    def size(self, least: int = 0) -> int:
        return self.of([n for n in (2, 3, 1, 4, 5, 0) if n >= least])

    def shape(self, least: int = 0, most: int = 4, size: int = 0) -> tuple[int, ...]:
        """A shape of ``least`` to ``most`` axes with sizes of at least ``size``."""
        return tuple(self.size(size) for _ in range(self.number(least, most)))

    def order(self, count: int) -> tuple[int, ...]:
        return tuple(self._draw(st.permutations(range(count))))

    def axis(self, rank: int) -> int:
        return self.number(-rank, rank - 1)

    def axes(self, rank: int) -> Any:
        """None, one axis, or several different axes, negative or not."""
        kind = self.number(0, 2) if rank else 0
        if kind == 0:
            return None
        if kind == 1:
            return self.axis(rank)
        chosen = self.order(rank)[: self.number(1, rank)]
        return tuple(a - rank if self.yes() else a for a in chosen)

    def operand(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape that broadcasts to another one without enlarging it."""
        kept = tuple(shape)[self.number(0, len(shape)) if self.yes() else 0 :]
        return tuple(1 if self.number(0, 3) == 3 else n for n in kept)

    def group(self) -> str:
        return self.of(("float32", "float64", "float16", "bfloat16"))
