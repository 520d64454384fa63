"""Where the steps of a model run, and whether the engine compiles them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kbackend.distribution.data_parallel import DataParallel, active
from kbackend.distribution.team import Team
from kbackend.ground.warn import warn_caller
from kbackend.plugin import select


class Placement:
    """The engine and device of a model's steps: those that ``to`` named, else the active ones; under
    ``KBACKEND=auto:fastest`` those remembered as the fastest for the model.

    Attributes:
        fixed: what ``to`` named, None without it.
        strategy: how they run in several processes; None for that of the context that is entered.
    """

    def __init__(self) -> None:
        self.fixed: Any = None
        self.strategy: DataParallel | None = None
        self._fastest: Any = None

    def target(self, steps: Any) -> Any:
        """The target of the next step of ``steps``."""
        if self.fixed is not None:
            return self.fixed
        active = select.active_target()
        if not select.models_choose():
            return active
        if self._fastest is None:
            self._fastest = _fastest(steps, active)
        return self._fastest

    def team(self, steps: Any) -> Team | None:
        """The processes that the next step of ``steps`` runs in; None where there is one."""
        strategy = self.strategy or active()
        return None if strategy is None else strategy.team(self.target(steps))

    def known(self) -> Any:
        """The target as far as it is known without loading an engine, or None."""
        return self.fixed or select.known_target()


def _fastest(steps: Any, otherwise: Any) -> Any:
    from kbackend.training.measuring import tuning

    key = tuning.fastest_engine(steps.graph("predict"))
    if key is not None:
        return select.target(*key.partition(":")[::2])
    warn_caller(
        f"KBACKEND=auto:fastest: nothing is remembered of {steps.model.name} on this machine; it runs on "
        f"{otherwise.key}. model.tune(x, y, engines='all') measures the engines"
    )
    return otherwise


@dataclass
class JitChoice:
    """Whether steps go through the engine's compiler.

    Attributes:
        setting: the argument of ``compile``: None, False, True or "auto".
        found: for "auto" what was measured: ("train" or "predict", key of a target) -> whether.
    """

    setting: Any = None
    found: dict[tuple[str, str], bool] = field(default_factory=dict)

    def of(self, kind: str) -> Any:
        """The argument ``jit`` of a step's function; with "auto" it is decided when a program is made."""
        if self.setting != "auto":
            return self.setting
        known = "train" if kind == "train" else "predict"
        return lambda target: self.found.get((known, target.key), False)
