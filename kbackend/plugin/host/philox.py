"""Words of the generator Philox4x32-10 on the CPU, by randomgen."""

import threading
from functools import cache

import numpy as np

WORD, KEYS, COUNTERS = (1 << 32) - 1, 1 << 64, 1 << 128


class _Generator(threading.local):
    """One bit generator for each thread; setting its state takes a fifth of the time of making another generator."""

    def __init__(self) -> None:
        from randomgen import Philox  # late: a process that only predicts draws nothing

        self.bits = Philox(key=0, number=4, width=32)
        # The buffer of this state is used up, so that the first word is that of the next block.
        self.state = self.bits.state
        self.counter = self.state["state"]["counter"]
        self.key = self.state["state"]["key"]

    def words(self, key: int, stream: int, count: int, trial: int, first: int) -> np.ndarray:
        # randomgen increments the counter before it computes a block.
        start = ((stream << 64 | trial << 32) + (first >> 2) - 1) % COUNTERS
        self.counter[:] = (start & WORD, start >> 32 & WORD, start >> 64 & WORD, start >> 96)
        self.key[:] = (key & WORD, key >> 32)
        self.bits.state = self.state
        # random_raw returns words of 64 bits, but is faster at any count than `Generator.integers` of uint32.
        return self.bits.random_raw(count + (first & 3))[first & 3 :].astype(np.uint32)


@cache
def _generator() -> _Generator:
    return _Generator()


def words(key: int, stream: int, count: int, trial: int = 0, first: int = 0) -> np.ndarray:
    """``count`` words of a Philox4x32-10 stream.

    The four words of the counter, the lowest first, are the number of the block, ``trial``, and the low and the high
    word of ``stream``; the low word of the key is its first. Element e is word ``e % 4`` of block ``e // 4``.

    Args:
        key: in [0, 2**64).
        stream: in [0, 2**64).
        count: the number of words.
        trial: in [0, 2**32).
        first: how many words come before them.

    Returns:
        A uint32 vector.

    Raises:
        ValueError: a number out of range.

    Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.

    >>> [hex(word) for word in words(0, 0, 4)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    check(key, stream, trial)
    return _generator().words(key, stream, count, trial, first)


def check(key: int, stream: int, trial: int) -> None:
    """Check the ranges of the numbers.

    Raises:
        ValueError: a number out of range.
    """
    if not (0 <= key < KEYS and 0 <= stream < KEYS and 0 <= trial <= WORD):
        raise ValueError(
            f"philox: key {key} and stream {stream} must be in [0, 2**64), trial {trial} in [0, 2**32)"
        )
