"""The order of the samples in each epoch."""

from __future__ import annotations

import numpy as np

from kbackend.streams import SHUFFLE_OP_ID, get_seed, permutation


class Shuffles:
    """Orders of samples, the same on every engine: each follows from the seed and the number of epochs before it.

    Attributes:
        seen: how many epochs there were.

    >>> import kbackend
    >>> kbackend.set_seed(1)
    >>> first, second = Shuffles(), Shuffles()
    >>> _ = first.next(5)
    >>> second.resume(1, first.seed)
    >>> bool((first.next(5) == second.next(5)).all())
    True
    """

    def __init__(self) -> None:
        self.seen = 0
        self._seed: int | None = None

    @property
    def seed(self) -> int:
        """The seed of the process, unless :meth:`resume` gave another."""
        return get_seed() if self._seed is None else self._seed

    def resume(self, seen: int, seed: int) -> None:
        """Go on after some epochs, with orders of a seed."""
        self.seen, self._seed = seen, seed

    def next(self, samples: int | None, shuffle: bool = True, block: int = 1) -> np.ndarray | None:
        """The order of the next epoch; None for that of the data.

        Args:
            samples: how many there are, None where it is not known; they keep their order then.
            shuffle: whether they change places.
            block: so many samples stay together, in their order; what is left of the last block comes last.
        """
        self.seen += 1
        if not shuffle or samples is None:
            return None
        whole = samples // block
        order = permutation(whole, self.seed, (SHUFFLE_OP_ID << 32) | (self.seen & 0xFFFFFFFF))
        if block == 1:
            return order
        rows = (np.asarray(order)[:, None] * block + np.arange(block)).ravel()
        return np.concatenate([rows, np.arange(whole * block, samples)])
