"""Variables whose values are divided among the processes: each holds a piece of the flat value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable


class Piece(Variable):
    """The piece that this process holds of a variable. Programs that read or update it bring the value of the variable
    here, where it lives elsewhere.

    Attributes:
        whole: the variable.
    """

    __slots__ = ("whole", "_pieces")

    def __init__(self, whole: Variable, pieces: Pieces) -> None:
        shape = (pieces.count(whole),)
        first = pieces.own
        super().__init__(lambda: first(whole.numpy()), shape, whole.dtype, f"{whole.name}/piece", whole.trainable)
        self.whole, self._pieces = whole, pieces
        self.group = whole.group  # programs that update one of them update the other

    def cell(self, target: Any) -> Any:
        if self.whole.home is not self._pieces:
            self.bring()
        return super().cell(target)

    def bring(self) -> None:
        """Bring the value of the variable here; nothing else keeps it."""
        self.whole.cell(self._pieces)
        self.whole.release()


class Pieces:
    """The home of variables that are divided among the processes of a run.

    A variable moves here when a program takes its piece, and away when a program takes its whole value; both keep it.
    Reading the value, and moving away, gathers it, which all processes must do together.

    Args:
        rank, size: of the processes.
        gather: gives what all processes gave for a purpose, in the order of the ranks.
    """

    key = "pieces"

    def __init__(self, rank: int, size: int, gather: Callable[[str, bytes], list[bytes]]) -> None:
        self._rank, self._size, self._gather = rank, size, gather
        self._made: WeakValueDictionary[int, Piece] = WeakValueDictionary()
        self._read: dict[Piece, np.ndarray] = {}

    def divisible(self, variable: Variable) -> bool:
        """Whether a variable is worth a piece in each process."""
        known = dtypes.is_float(variable.dtype) and not variable.host and variable.shared is None
        return known and prod(d or 0 for d in variable.shape) >= self._size

    def count(self, tensor: Tensor) -> int:
        """The elements of a piece."""
        return -(-prod(d or 0 for d in tensor.shape) // self._size)

    def own(self, value: np.ndarray) -> np.ndarray:
        """The piece of this process of a value, with zeros as padding."""
        count = -(-value.size // self._size)
        piece = np.zeros(count, value.dtype)
        part = value.reshape(-1)[self._rank * count : (self._rank + 1) * count]
        piece[: len(part)] = part
        return piece

    def of(self, variable: Variable) -> Piece:
        """The piece of a variable, always the same."""
        found = self._made.get(variable.uid)
        if found is None:
            found = self._made[variable.uid] = Piece(variable, self)
        return found

    @contextmanager
    def readable_in_first(self, variables: Iterable[Variable]) -> Iterator[None]:
        """A context in which the first process reads the values without the others. All must enter it."""
        for variable in variables:
            if variable.home is self:
                value = variable.numpy()
                if self._rank == 0:
                    self._read[self.of(variable)] = value
        try:
            yield
        finally:
            self._read.clear()

    # the home of a variable: its holder is the piece --------------------------------------------------------

    def make_cell(self, value: np.ndarray, variable: Variable) -> Piece:
        """The piece, with its part of a value."""
        return self.cell_assign(self.of(variable), value)

    def cell_assign(self, cell: Piece, value: np.ndarray) -> Piece:
        """Give a piece its part of a value."""
        cell._assign(self.own(value))
        return cell

    def cell_to_numpy(self, cell: Piece) -> np.ndarray:
        """The whole value.

        Raises:
            DistributedError: another process does not read it.
        """
        known = self._read.get(cell)
        if known is not None:
            return known.copy()
        whole = cell.whole
        parts = self._gather(f"read {whole.name}", cell._numpy().tobytes())
        flat = np.frombuffer(b"".join(parts), dtypes.numpy_dtype(whole.dtype))
        return flat[: prod(d or 0 for d in whole.shape)].reshape([d or 0 for d in whole.shape]).copy()


__all__: list[str] = []
