"""Which models run in several processes, and how."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from kbackend.distribution.team import Team
from kbackend.ground.public import Public
from kbackend.plugin import select
from kbackend.plugin.contract import Target
from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import launched

_active: ContextVar[DataParallel | None] = ContextVar("kbackend_data_parallel", default=None)
#: gives the strategy whose context is entered
active: Callable[[], DataParallel | None] = _active.get


class DataParallel(Public):
    """Each process has the whole model and trains on its part of every batch; gradients are summed over the processes.

    The run is that of one process, up to the order of sums: the same initial weights, order of samples, dropout masks,
    losses and metrics. ``batch_size`` is that of the whole batch. It is given to ``model.distribute``, or entered as a
    context, in which all models are distributed.

    The processes are started by what the engine's users know: ``torchrun`` for torch, ``TF_CONFIG`` for TensorFlow,
    ``mpirun`` for NumPy (which needs mpi4py). One process alone runs as without it.

    Args:
        sync_batch_norm: whether BatchNormalization takes the statistics of the whole batch, as one process does, at two
            more sums for each layer; if not, each process normalizes by those of its part. A layer with
            ``synchronized=True`` switches it on for all.
        shard: whether weights and the state of the optimizer are divided among the processes, on torch: each holds a
            piece of every one, and the step gathers a weight where it is needed. All processes must call what reads a
            weight (``get_weights``, ``predict``) together.
        timeout: seconds after which a process that does not come counts as lost.

    Raises:
        ValueError: a ``timeout`` that is not positive.

    ``model.distribute`` raises NotImplementedError for ``shard`` on an engine that cannot divide weights.

    Source: Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", 2020, stage 3
    (``shard``).

    >>> from kbackend import Input, Model, distribution, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> _ = model.distribute(distribution.DataParallel())
    >>> _ = model.fit([[1.0, 2.0, 3.0]], [[1.0]], verbose=0)
    """

    def __init__(self, sync_batch_norm: bool = False, shard: bool = False, timeout: float = 300.0) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be a positive number of seconds, it is {timeout!r}")
        self.sync_batch_norm, self.shard, self.timeout = bool(sync_batch_norm), bool(shard), float(timeout)
        self._teams: dict[str, Team] = {}
        self._tokens: list[Token[DataParallel | None]] = []

    def team(self, target: Target) -> Team | None:
        """The processes that run on a target together; None where there is one process.

        Raises:
            DistributedError: the processes were started by what the engine does not know, or do not meet.
            NotImplementedError: ``shard``, and the engine cannot divide weights.
        """
        if self.shard and not target.backend.divides:
            raise NotImplementedError(
                f"DataParallel(shard=True): the engine {target.backend.name} cannot divide weights among processes, "
                "torch can. Without shard each process holds all weights and the whole state of the optimizer"
            )
        launch = launched()
        if launch is None:
            return None
        backend = target.backend
        if backend.launcher is not launch.launcher:
            known = "one process only" if backend.launcher is None else f"processes of {backend.launcher.command}"
            raise DistributedError(
                f"{launch.size} processes were started by {launch.launcher.command}, the engine {backend.name} runs in "
                f"{known}"
            )
        if backend.name not in self._teams:
            group = backend.join(launch, target.device, self.timeout)
            self._teams[backend.name] = Team(group, self.sync_batch_norm, self.shard)
        return self._teams[backend.name]

    def __enter__(self) -> DataParallel:
        self.team(select.active_target())
        self._tokens.append(_active.set(self))
        return self

    def __exit__(self, *exc: Any) -> None:
        _active.reset(self._tokens.pop())
