"""What a check found."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from kbackend.plugin.contract import Backend
from kbackend.plugin.gaps import MissingKernel
from kbackend.testing.samples import Case


class Fault(NamedTuple):
    """A check that failed."""

    case: Case | str
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.case if isinstance(self.case, str) else self.case.label}, {self.check}: {self.message}"


@dataclass
class Report:
    """The faults of some checks, what was skipped and why, and how many checks were made.

    Attributes:
        backend: the backend that was checked.
        faults: what failed.
        skipped: (case, reason) where the backend declares that it lacks a kernel.
        checked: how many comparisons were made, passed or failed.
        any_batch, two_sizes: how many samples ran without a known batch size, and how many of them at two sizes.
    """

    backend: Backend
    faults: list[Fault] = field(default_factory=list)
    skipped: list[tuple[Case | str, str]] = field(default_factory=list)
    checked: int = 0
    any_batch: int = 0
    two_sizes: int = 0

    def expect(self, case: Case | str, check: str, message: str | None) -> None:
        """Count a check; ``message`` says what is wrong, None that nothing is."""
        self.checked += 1
        if message is not None:
            self.faults.append(Fault(case, check, message))

    @contextmanager
    def guarded(self, case: Case | str, check: str) -> Iterator[None]:
        """A block in which errors become faults of the case, and declared gaps become skips."""
        try:
            yield
        except Exception as error:  # whatever an engine raises belongs in the report
            self.error(case, check, error)

    def error(self, case: Case | str, check: str, error: Exception) -> None:
        """Count a check that ended in an error."""
        reason = _declared(error)
        if reason is None:
            self.expect(case, check, described(error))
        else:
            self.skipped.append((case, reason))

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def described(error: BaseException) -> str:
    """The error with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    text = str(error).strip()
    return f"{type(error).__name__}: {text[:600]}{where}"


def _declared(error: Exception) -> str | None:
    """The reason, where a backend declares that it lacks a kernel."""
    return str(error) if isinstance(error, MissingKernel) and error.gap is not None else None
