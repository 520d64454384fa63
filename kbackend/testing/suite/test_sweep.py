"""A short part of each sweep, in processes of its own; ``python -m kbackend.testing.sweep NAME`` runs longer ones."""

from __future__ import annotations

import pytest

from kbackend.testing.plugin import kit_target
from kbackend.testing.sweep import FAMILIES, sweep

#: of each family; fewer on backends that compile each program
TRIALS, COMPILED = 40, 12
#: oneDNN's kernels for processors without AVX-512, which have faults of their own
OLDER = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
WINDOWS = ("convolution", "convolution_transpose")
#: what engines have on some processors only
SOMETIMES = ("narrow",)


@pytest.mark.parametrize("environment", [{}, OLDER], ids=["", "older"])
def test_sweep(kit_backend: str, environment: dict[str, str]) -> None:
    """Drawn calls, of which none may end its process, corrupt its memory or differ from NumPy in float64."""
    families = WINDOWS if environment else tuple(f for f in FAMILIES if f not in SOMETIMES)
    trials = TRIALS if kit_target(kit_backend).backend.eager else COMPILED
    found = sweep(kit_backend, families, trials, environment=environment)
    assert found.ran == trials * len(families)
    assert not found.faults, str(found)
