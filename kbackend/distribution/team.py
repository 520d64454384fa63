"""What the processes of a run do together beside their steps: compare, wait, write files, find lost ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from weakref import WeakSet

import numpy as np

from kbackend.declare.op import DRAW
from kbackend.distribution.pieces import Piece, Pieces
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.lowering.fingerprint import fingerprint
from kbackend.plugin.processes.group import DistributedError, Group


class Team:
    """The processes of a run.

    Args:
        group: how the engine reaches them.
        sync_batch_norm, shard: see :class:`kbackend.distribution.DataParallel`.

    Attributes:
        pieces: the home of the weights that are divided among the processes, None where each has all.
    """

    def __init__(self, group: Group, sync_batch_norm: bool, shard: bool = False) -> None:
        self._group = group
        self.sync_batch_norm = sync_batch_norm
        self.pieces = Pieces(group.rank, group.size, self._gathered) if shard else None
        self._met: WeakSet[Graph] = WeakSet()

    @property
    def rank(self) -> int:
        """The number of this process."""
        return self._group.rank

    @property
    def size(self) -> int:
        """The number of processes."""
        return self._group.size

    @property
    def compiles(self) -> bool:
        """Whether the engine's compiler takes steps of several processes."""
        return self._group.compiles

    @property
    def overlaps(self) -> bool:
        """Whether gradients are summed while the backward pass goes on."""
        return self._group.overlaps

    @property
    def writes(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def part(self, samples: int) -> tuple[int, int]:
        """The first and the last place, not included, of this process's part of a batch: parts follow each other in the
        order of the ranks, and their sizes differ by one at most."""
        each, more = divmod(samples, self.size)
        first = self.rank * each + min(self.rank, more)
        return first, first + each + (self.rank < more)

    def wait(self) -> None:
        """Wait until all processes are here.

        Raises:
            DistributedError: one is lost.
        """
        self._gathered("wait", b"")

    def _gathered(self, purpose: str, content: bytes) -> list[bytes]:
        """What each process gave for a purpose.

        Raises:
            DistributedError: one is lost, or came for something else.
        """
        found = [told.split(b"\0", 1) for told in self._group.gather(purpose.encode() + b"\0" + content)]
        for rank, (other, _) in enumerate(found):
            if other != purpose.encode():
                raise DistributedError(
                    f"process {self.rank} came to {purpose}, process {rank} to {other.decode()}: all processes must "
                    "call the same methods of a model in the same order"
                )
        return [told for _, told in found]

    def any(self, flag: bool) -> bool:
        """Whether the flag is true in one of the processes; all must call it.

        Raises:
            DistributedError: one is lost.
        """
        return b"1" in self._gathered("ask", b"1" if flag else b"0")

    def write(self, write: Callable[[], Any], variables: Iterable[Variable] = ()) -> None:
        """Let the first process write, while the others wait; all must call it.

        Args:
            write: writes.
            variables: those that it may read.

        Raises:
            DistributedError: the first process could not, in the others. In the first, what it raised.
        """
        error: BaseException | None = None
        with nullcontext() if self.pieces is None else self.pieces.readable_in_first(variables):
            if self.writes:
                try:
                    write()
                except Exception as found:
                    error = found
        told = b"" if error is None else f"{type(error).__name__}: {error}".encode()
        first = self._gathered("write", told)[0]
        if error is not None:
            raise error
        if first:
            raise DistributedError(f"process 0 could not write: {first.decode()}")

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Compare facts with those of the other processes.

        Raises:
            DistributedError: they differ; the message names the fact, and the first process that differs.
        """
        mine = json.dumps({name: str(value) for name, value in facts.items()}).encode()
        first, *others = [json.loads(told) for told in self._gathered("compare", mine)]
        for rank, other in enumerate(others, 1):
            for name in {**first, **other}:
                if first.get(name) != other.get(name):
                    raise DistributedError(
                        f"process {rank} differs from process 0 in {name}: {other.get(name)}, and {first.get(name)} in "
                        f"process 0. {_ADVICE.get(name, '')}".rstrip()
                    )

    def meet(self, graph: Graph) -> None:
        """Compare the graph of a step with those of the other processes, before it runs for the first time.

        Raises:
            DistributedError: see :meth:`agree`.
        """
        if graph not in self._met:
            self.agree(facts_of(graph))
            self._met.add(graph)

    def guarded(self, program: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """The program, with the engine's errors about lost processes as :class:`DistributedError`."""

        def run(feeds: Sequence[Any]) -> Sequence[Any]:
            try:
                return program(feeds)
            except Exception as error:
                told = self._group.lost(error)
                if told is None or isinstance(error, DistributedError):
                    raise
                raise DistributedError(f"process {self.rank} of {self.size}: {told}") from error

        return run


_ADVICE = {
    "the graph of the step": "All processes must build and compile the same model",
    "the random streams": "Call kbackend.set_seed with the same number before the model is built",
    "the seed": "Call kbackend.set_seed with the same number before the model is built",
    "the values of variables": "Call kbackend.set_seed with the same number, or load the same file, in all processes",
    "the data": "All processes must be given the same data; each takes its part itself",
    "the place in the training": "The folder of checkpoints must be one that all processes see",
}


def facts_of(graph: Graph) -> dict[str, str]:
    """What must be the same in all processes before the first step."""
    return {
        "the graph of the step": fingerprint(graph),
        "the random streams": _digest(str([node.attrs.get(k) for k in DRAW]).encode() for node in _draws(graph)),
        "the values of variables": _digest(map(_content, graph.variables())),
    }


def _content(variable: Variable) -> bytes:
    if not isinstance(variable, Piece):
        return np.ascontiguousarray(variable.numpy()).tobytes()
    content = variable.whole.numpy().tobytes()
    variable.bring()  # so that the whole values are here one at a time
    return content


def _draws(graph: Graph) -> list[Any]:
    found = []
    for node in graph.depth_first():
        found += [node] if node.op.random else []
        for value in node.attrs.values():
            found += _draws(value) if isinstance(value, Graph) else []
    return found


def _digest(parts: Any) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
