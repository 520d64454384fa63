"""The families of a sweep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Protocol

from kbackend.plugin.contract import Target
from kbackend.testing.sweep import empty, layouts, reused, windows


class Family(Protocol):
    """What a sweep asks of a family: numbered trials, the same ones in each process, and their check."""

    def trial(self, rng: random.Random, number: int) -> Any:
        """The trial of a number; ``str`` of it names the configuration."""

    def check(self, trials: Sequence[Any], target: Target) -> list[str | None]:
        """What is wrong with each of some trials, run on the target."""


FAMILIES: dict[str, Family] = {
    "convolution": layouts.Drawn(windows.convolution),
    "convolution_transpose": layouts.Drawn(windows.convolution_transpose),
    "pooling": layouts.Drawn(windows.pooling),
    "normalization": layouts.Drawn(windows.normalization, floor=1.0),
    "narrow": layouts.Drawn(windows.narrow),
    "reused": reused.Reused(),
    "empty": empty.Empty(),
}


def trials_of(family: str, seed: int, numbers: Sequence[int]) -> list[Any]:
    """The trials of some numbers: each depends on the seed and its own number alone."""
    return [FAMILIES[family].trial(random.Random(f"{family} {seed} {n}"), n) for n in numbers]


__all__ = ["FAMILIES", "Family", "trials_of"]
