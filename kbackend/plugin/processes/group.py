"""The processes of a distributed run on one engine, outside of programs."""

from __future__ import annotations

from typing import Protocol


class DistributedError(RuntimeError):
    """The processes of a run do not fit together, or one of them is lost.

    >>> from kbackend.distribution import DistributedError
    >>> from kbackend.plugin.processes.launch import launched
    >>> try:
    ...     launched({"RANK": "4", "WORLD_SIZE": "4"})
    ... except DistributedError as error:
    ...     print(error)
    RANK and WORLD_SIZE: there is no process 4 of 4
    """


class Group(Protocol):
    """The processes of a run on one engine.

    Attributes:
        rank: the number of this process, from 0.
        size: the number of processes.
        compiles: whether the engine's compiler takes programs with sums over the processes.
        overlaps: whether the kernel of ``replicated`` sums gradients while the backward pass goes on.
    """

    rank: int
    size: int
    compiles: bool = True
    overlaps: bool = False

    def gather(self, content: bytes) -> list[bytes]:
        """What each process gave, in the order of the ranks. All must call it.

        Raises:
            DistributedError: a process is lost, or did not come within the time.
        """

    def lost(self, error: BaseException) -> str | None:
        """What the engine says when an error means that a process is lost or too late, else None."""

    def close(self) -> None:
        """Leave the run."""
