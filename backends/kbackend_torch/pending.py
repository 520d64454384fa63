"""Sums of gradients that are on their way while the backward pass goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol


class Transfer(Protocol):
    """The sum of some gradients over the processes.

    Attributes:
        sources: the tensors whose gradients they are.
    """

    sources: Sequence[Any]

    def fill(self, gradients: Sequence[Any] | None) -> None:
        """Take the gradients of this process; None where it has none."""

    @property
    def filled(self) -> bool:
        """Whether the gradients are there."""

    def start(self) -> None:
        """Send them."""

    def wait(self) -> None:
        """Wait until the sums are there; the gradients are free then."""

    def results(self) -> Sequence[Any]:
        """The tensors in which the sums of the gradients of ``sources`` will be."""


class Pending:
    """The transfers of the program that runs.

    All processes start them in one order, that of the backward pass: the last that was expected comes first. One whose
    gradients are early waits for those before it, and one that the backward pass of this process does not reach (a
    branch that the others took) is sent with zeros.
    """

    def __init__(self) -> None:
        self._expected: list[Transfer] = []
        self._started: list[Transfer] = []
        self._there: list[Transfer] = []

    def expect(self, transfer: Transfer) -> None:
        """Add a transfer, before the backward pass."""
        self._expected.append(transfer)

    def filled(self, transfer: Transfer, gradients: Sequence[Any]) -> Sequence[Any]:
        """Give a transfer its gradients and start what may be started; where the sums will be."""
        transfer.fill(gradients)
        while self._expected and self._expected[-1].filled:
            self._start()
        return transfer.results()

    def _start(self) -> None:
        transfer = self._expected.pop()
        self._started.append(transfer)
        transfer.start()
        if len(self._started) > _TOGETHER:
            self._wait()

    def _wait(self) -> None:
        transfer = self._started.pop(0)
        transfer.wait()
        self._there.append(transfer)

    def finish(self, tensors: Sequence[Any]) -> dict[int, Any]:
        """After the backward pass to some tensors: wait for all sums, where the pass is that of the transfers.

        Returns:
            The sums, by the ids of the tensors.
        """
        wanted = {id(t) for t in tensors}
        every = [*self._expected, *self._started, *self._there]
        if not any(id(source) in wanted for transfer in every for source in transfer.sources):
            return {}
        while self._expected:
            if not self._expected[-1].filled:
                self._expected[-1].fill(None)
            self._start()
        while self._started:
            self._wait()
        self.clear()
        return {id(s): r for transfer in every for s, r in zip(transfer.sources, transfer.results())}

    def clear(self) -> None:
        """Forget all, after a program that failed."""
        self._expected, self._started, self._there = [], [], []

    def __bool__(self) -> bool:
        return bool(self._expected or self._started or self._there)


#: transfers that are on their way; more would hold more memory, and be no sooner there
_TOGETHER = 2
#: those of this process
PENDING = Pending()


def completed(gradients: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a tape that gives gradients, for programs with transfers: it gives the sums."""

    @wraps(gradients)
    def complete(level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool) -> Sequence[Any]:
        found = gradients(level, loss, tensors, nested, last)
        sums = PENDING.finish(tensors)
        return tuple(sums.get(id(t), g) for t, g in zip(tensors, found))

    return complete
