"""Engines' own generators, for backends that draw natively. Draws of the process' stream share one generator on each
device, seeded by ``set_seed``. A draw with a seed of its own gets numbers that depend on that seed, its op id and its
step, so that it repeats in any program, as it does in portable mode.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from kbackend.streams import epoch, get_seed, has_own_seed

_Generator = TypeVar("_Generator")
_WORD = (1 << 64) - 1
_all: list[Generators[Any]] = []


class Generators(Generic[_Generator]):
    """The generator of the process' stream on each device, seeded anew when it is first used after ``set_seed``.

    Args:
        make: a generator for a seed of 64 bits and a device.
        reseed: brings a generator into the state that ``make`` gives it.
        read: a copy of a generator's state.
        write: brings a generator into a state that ``read`` gave.
    """

    def __init__(
        self,
        make: Callable[[int, str], _Generator],
        reseed: Callable[[_Generator, int], Any],
        read: Callable[[_Generator], Any],
        write: Callable[[_Generator, Any], Any],
    ) -> None:
        self._make, self._reseed, self._read, self._write = make, reseed, read, write
        _all.append(self)
        self._lock = threading.Lock()
        self._made: dict[str, _Generator] = {}
        self._epoch = epoch()

    def refresh(self) -> None:
        """Seed the generators anew if ``set_seed`` was called since they were used."""
        if self._epoch != epoch():
            with self._lock:
                self._epoch, seed = epoch(), get_seed()
                for generator in self._made.values():
                    self._reseed(generator, seed)

    def __call__(self, device: str = "cpu") -> _Generator:
        self.refresh()
        found = self._made.get(device)
        if found is None:
            with self._lock:
                found = self._made.get(device)
                if found is None:
                    found = self._made[device] = self._make(get_seed(), device)
        return found

    def states(self) -> dict[str, Any]:
        """The state of the generator on each device that has one."""
        self.refresh()
        return {device: self._read(generator) for device, generator in self._made.items()}

    def restore(self, states: dict[str, Any]) -> None:
        """Go back to states; generators made since then begin anew."""
        for device, generator in self._made.items():
            if device in states:
                self._write(generator, states[device])
            else:
                self._reseed(generator, get_seed())


@contextmanager
def kept() -> Iterator[None]:
    """A context after which the generators of all loaded backends go on as if it had drawn nothing."""
    before = {id(generators): generators.states() for generators in _all}
    try:
        yield
    finally:
        for generators in _all:
            generators.restore(before.get(id(generators), {}))


def seed_of(key: int, op_id: int, step: Any, trial: Any) -> int | None:
    """The seed of 64 bits of a draw with a seed of its own; None for a draw of the process' stream."""
    if not has_own_seed(op_id):
        return None
    seed = key
    for number in (op_id, int(step), 0 if trial is None else int(trial)):
        seed = _mixed(seed + number)
    return seed


def _mixed(number: int) -> int:
    """A step of SplitMix64. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014."""
    number = number + 0x9E3779B97F4A7C15 & _WORD
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _WORD
    return number ^ number >> 31


__all__ = ["Generators", "kept", "seed_of"]
