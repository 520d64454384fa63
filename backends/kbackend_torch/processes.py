"""The processes of a run of torch.distributed, started by torchrun."""

from __future__ import annotations

import atexit
import datetime
import os
import time
import uuid
from collections.abc import Sequence
from typing import Any

import torch

from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import Launch

#: bytes of tensors that travel together, as in torch's DistributedDataParallel
BUCKET = 25 << 20
_joined: list[TorchGroup] = []


def joined() -> TorchGroup | None:
    """The run that this process is a part of."""
    return _joined[-1] if _joined else None


def join(launch: Launch, device: str, timeout: float) -> TorchGroup:
    """Meet the other processes of the run, by NCCL for tensors on CUDA and by gloo for others.

    Raises:
        DistributedError: they did not come.
    """
    if _joined:
        return _joined[-1]
    import torch.distributed as dist

    limit = datetime.timedelta(seconds=timeout)
    kind = "nccl" if device.startswith("cuda") else "gloo"
    try:
        if not dist.is_initialized():
            store, rank, size = next(dist.rendezvous("env://", timeout=limit))
            store.set_timeout(limit)
            store = dist.PrefixStore(_word_of_start(store, rank, size, timeout), store)
            dist.init_process_group(kind, store=store, rank=rank, world_size=size, timeout=limit)
            atexit.register(_leave)
        # apart from that of programs, so that what one process gathers alone meets no sum of another
        host = dist.new_group(backend="gloo", timeout=limit)
    except (RuntimeError, ValueError) as error:
        raise DistributedError(
            f"process {launch.rank} of {launch.size} did not meet the others at "
            f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')} within {timeout:g} s: {error}"
        ) from error
    _joined.append(TorchGroup(dist, host, timeout))
    return _joined[-1]


def _leave() -> None:
    """Close connections before the interpreter ends, whose threads would abort it; after a failure they may hang."""
    if _joined and not _joined[-1].failed:
        _joined[-1].close()


def _word_of_start(store: Any, rank: int, size: int, timeout: float) -> str:
    """A word that the processes of this start have in common, and no earlier start had.

    torchrun (torch 2.13) keeps its store when it starts processes again, in which gloo would find the addresses of
    those before. The first process publishes a word, and confirms each process that answers under it.

    Raises:
        RuntimeError: the first process did not confirm in time.
    """
    own, end = uuid.uuid4().hex, time.monotonic() + timeout
    if rank == 0:
        store.set("kbackend/start", own)
        for other in range(1, size):
            answer = f"kbackend/{own}/{other}"
            store.wait([answer])
            store.set(f"{answer}/confirmed", store.get(answer))
        return own
    while time.monotonic() < end:
        word = store.get("kbackend/start").decode()
        answer = f"kbackend/{word}/{rank}"
        store.set(answer, own)
        again = time.monotonic() + 0.2
        while time.monotonic() < again:
            if store.check([f"{answer}/confirmed"]) and store.get(f"{answer}/confirmed").decode() == own:
                return word
            time.sleep(0.01)
    raise RuntimeError("the first process did not answer")


class TorchGroup:
    """The processes of the default group.

    Args:
        dist: torch.distributed, which is imported by those alone who use it.
        host: the group for tensors in the host's memory.
        timeout: seconds after which a process that does not come counts as lost.

    Attributes:
        failed: whether a process was lost.
    """

    compiles = True
    overlaps = True

    def __init__(self, dist: Any, host: Any, timeout: float) -> None:
        self._dist, self._host = dist, host
        self._start = {
            "all_reduce": dist.all_reduce,
            "all_gather": getattr(dist, "all_gather_single", dist.all_gather_into_tensor),
            "reduce_scatter": getattr(dist, "reduce_scatter_single", dist.reduce_scatter_tensor),
        }
        self.rank, self.size, self.timeout = dist.get_rank(), dist.get_world_size(), timeout
        self.failed = False

    def sums(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        """The sum of each tensor over the processes. Buckets are on their way while the next ones are filled."""
        found: list[Any] = [None] * len(tensors)
        sent = []
        for places in buckets(tensors):
            flat = torch.cat([tensors[p].detach().reshape(-1) for p in places])
            sent.append((places, flat, self.started("all_reduce", flat)))
        for places, flat, work in sent:
            self.done(work)
            parts = flat.split([tensors[p].numel() for p in places])
            for place, part in zip(places, parts):
                found[place] = part.view(tensors[place].shape)
        return tuple(found)

    def started(self, collective: str, *tensors: Any) -> Any:
        """A collective that is on its way: "all_reduce" in place, "all_gather" or "reduce_scatter" (to, from)."""
        try:
            return self._start[collective](*tensors, async_op=True)
        except RuntimeError as error:
            raise self._error(error) from error

    def done(self, work: Any) -> None:
        """Wait for what :meth:`started` returned."""
        try:
            work.wait()
        except RuntimeError as error:
            raise self._error(error) from error

    def gather(self, content: bytes) -> list[bytes]:
        try:
            sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
            self._dist.all_gather(sizes, torch.tensor([len(content)]), group=self._host)
            longest = max(int(n) for n in sizes)
            sent = torch.frombuffer(bytearray(content.ljust(longest + 1, b"\0")), dtype=torch.uint8)
            received = [torch.empty_like(sent) for _ in range(self.size)]
            self._dist.all_gather(received, sent, group=self._host)
        except RuntimeError as error:
            raise self._error(error) from error
        return [t[: int(n)].numpy().tobytes() for t, n in zip(received, sizes)]

    def _error(self, error: RuntimeError) -> DistributedError:
        self.failed = True
        return DistributedError(
            f"process {self.rank} of {self.size}: another process has stopped, or hangs for {self.timeout:g} s: "
            f"{str(error).strip().partition(chr(10))[0]}"
        )

    def lost(self, error: BaseException) -> str | None:
        return str(error) if isinstance(error, DistributedError) else None

    def close(self) -> None:
        _joined.clear()
        self._dist.destroy_process_group()


def buckets(tensors: Sequence[Any]) -> list[list[int]]:
    """The places of the tensors that travel together: of one dtype and device, up to :data:`BUCKET` bytes. The last
    tensors come first, whose gradients are known first."""
    found: list[list[int]] = []
    filling: dict[Any, tuple[list[int], int]] = {}
    for place in reversed(range(len(tensors))):
        tensor = tensors[place]
        key, size = (tensor.dtype, tensor.device), tensor.numel() * tensor.element_size()
        places, filled = filling.get(key, ([], BUCKET))
        if filled + size > BUCKET:
            places, filled = [], 0
            found.append(places)
        places.append(place)
        filling[key] = places, filled + size
    return found
