"""The processes of an MPI run, by mpi4py."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import Launch

_joined: list[MpiGroup] = []


def joined() -> MpiGroup | None:
    """The run that this process is a part of."""
    return _joined[-1] if _joined else None


def join(launch: Launch, timeout: float) -> MpiGroup:
    """Meet the other processes of the run.

    Raises:
        DistributedError: mpi4py is missing, or it was built for another MPI than that of mpirun.
    """
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise DistributedError(
            f"{launch.size} processes were started by mpirun; to run together on this engine they need mpi4py: "
            "pip install mpi4py"
        ) from error
    if MPI.COMM_WORLD.size != launch.size:
        raise DistributedError(
            f"mpirun started {launch.size} processes, mpi4py sees {MPI.COMM_WORLD.size}: it uses another MPI"
        )
    if not _joined:
        _joined.append(MpiGroup(MPI, timeout))
        _end_together(MPI)
    _joined[-1].timeout = timeout
    return _joined[-1]


def _end_together(mpi: Any) -> None:
    """Let a process that ends with an error end the others, which would wait for it."""
    shown = sys.excepthook

    def end(kind: Any, error: Any, trace: Any) -> None:
        shown(kind, error, trace)
        sys.stderr.flush()
        mpi.COMM_WORLD.Abort(1)

    sys.excepthook = end


class MpiGroup:
    """The processes of ``MPI.COMM_WORLD``.

    Args:
        mpi: the module of mpi4py.
        timeout: seconds after which a process that does not come counts as lost.
    """

    compiles = True
    overlaps = False

    def __init__(self, mpi: Any, timeout: float) -> None:
        self._mpi = mpi
        self._world = mpi.COMM_WORLD.Dup()
        self.rank, self.size, self.timeout = self._world.rank, self._world.size, timeout

    def sums(self, tensors: Sequence[np.ndarray]) -> tuple[Any, ...]:
        """The sum of each array over the processes; arrays of one dtype travel together."""
        arrays = [np.asarray(t) for t in tensors]
        by_dtype: dict[Any, list[int]] = {}
        for place, array in enumerate(arrays):
            by_dtype.setdefault(array.dtype, []).append(place)
        found: list[Any] = [None] * len(arrays)
        for places in by_dtype.values():
            total = self._sum(np.concatenate([arrays[p].ravel() for p in places]))
            start = 0
            for place in places:
                stop = start + arrays[place].size
                found[place] = total[start:stop].reshape(arrays[place].shape)
                start = stop
        return tuple(found)

    def _sum(self, sent: np.ndarray) -> np.ndarray:
        narrow = sent.dtype if sent.dtype.char not in _MPI_KNOWS else None
        sent = sent if narrow is None else sent.astype(np.float32)
        received = np.empty_like(sent)
        self._wait(self._world.Iallreduce(sent, received), "all_reduce")
        return received if narrow is None else received.astype(narrow)

    def _wait(self, request: Any, what: str) -> None:
        end = time.monotonic() + self.timeout
        pause = 0.0
        while not request.Test():
            if time.monotonic() > end:
                raise DistributedError(
                    f"process {self.rank} of {self.size}: {what} waited {self.timeout:g} s for another process, which "
                    "has stopped or hangs"
                )
            time.sleep(pause)
            pause = min(pause + 1e-6, 1e-3)

    def gather(self, content: bytes) -> list[bytes]:
        sizes = np.empty(self.size, np.int64)
        self._wait(self._world.Iallgather(np.array([len(content)], np.int64), sizes), "gather")
        received = np.empty(int(sizes.sum()), np.uint8)
        sent = np.frombuffer(content, np.uint8)
        self._wait(self._world.Iallgatherv(sent, [received, sizes.tolist()]), "gather")
        ends = np.cumsum(sizes)
        return [received[end - size : end].tobytes() for size, end in zip(sizes, ends)]

    def lost(self, error: BaseException) -> str | None:
        return str(error) if isinstance(error, (DistributedError, self._mpi.Exception)) else None

    def close(self) -> None:
        _joined.clear()


#: characters of the dtypes that MPI sums itself; the 16-bit ones are summed in float32
_MPI_KNOWS = frozenset(np.dtype(kind).char for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
