"""Kernels that a backend does not have, with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """A declared absence.

    Args:
        kind: 'never' (the engine cannot do it) or 'not_yet'.
        reason: why, in a sentence for users.
        samples: names of the samples that fail; empty when the kernel is absent as a whole.
    """

    kind: str
    reason: str
    samples: tuple[str, ...] = ()


def never(reason: str, *samples: str) -> Gap:
    """The engine cannot do it."""
    return Gap("never", reason, samples)


def not_yet(reason: str, *samples: str) -> Gap:
    """Nobody has written it so far."""
    return Gap("not_yet", reason, samples)


class MissingKernel(NotImplementedError):
    """The active backend has no kernel for an op.

    Attributes:
        gap: the declared gap; None where the backend does not declare one, which is a fault of the backend.
    """

    def __init__(self, message: str, gap: Gap | None = None) -> None:
        super().__init__(message)
        self.gap = gap
