"""Reports of checks."""

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
    """The faults of checks, the skipped checks and the number of checks.

    Attributes:
        backend: the backend that was checked.
        faults: the failed checks.
        skipped: (case, reason) of checks that need a kernel which the backend declares missing.
        checked: the number of comparisons, passed or failed.
        any_batch, two_sizes: the number of samples run with an unknown batch size, and of those run at two sizes.
    """

    backend: Backend
    faults: list[Fault] = field(default_factory=list)
    skipped: list[tuple[Case | str, str]] = field(default_factory=list)
    checked: int = 0
    any_batch: int = 0
    two_sizes: int = 0

    def expect(self, case: Case | str, check: str, message: str | None) -> None:
        """Count a check; ``message`` describes the fault, None means that it passed."""
        self.checked += 1
        if message is not None:
            self.faults.append(Fault(case, check, message))

    @contextmanager
    def guarded(self, case: Case | str, check: str) -> Iterator[None]:
        """A context in which errors are recorded as faults of the case, and declared gaps as skips."""
        try:
            yield
        except Exception as error:  # errors of any type are reported
            self.error(case, check, error)

    def error(self, case: Case | str, check: str, error: Exception) -> None:
        """Count a check that raised an error."""
        reason = _declared(error)
        if reason is None:
            self.expect(case, check, described(error))
        else:
            self.skipped.append((case, reason))

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def described(error: BaseException) -> str:
    """The error with the file and line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    text = str(error).strip()
    return f"{type(error).__name__}: {text[:600]}{where}"


def _declared(error: Exception) -> str | None:
    """The reason of an error of a kernel that the backend declares missing, else None."""
    return str(error) if isinstance(error, MissingKernel) and error.gap is not None else None
