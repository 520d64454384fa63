"""A model in several processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.distribution.data_parallel import DataParallel


class Distributed:
    """The part of a model that joins the processes of a run."""

    _steps: Any

    def distribute(self, strategy: DataParallel | None = None) -> Any:
        """Train, evaluate and save together with the other processes of the run from now on; see
        :class:`kbackend.distribution.DataParallel`. One process alone goes on as it was.

        Args:
            strategy: how; ``DataParallel()`` when None.

        Returns:
            The model.

        Raises:
            DistributedError: the processes were started by what the engine does not know, or do not meet.
        """
        self._steps.placement.strategy = strategy or DataParallel()
        self._steps.team()
        return self

    def _write(self, write: Callable[[], None]) -> None:
        """Write a file; of several processes that train together the first one does, and all wait for it."""
        team = self._steps.team()
        if team is None:
            write()
        else:
            team.write(write, self._steps.variables())
