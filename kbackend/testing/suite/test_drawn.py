"""Calls drawn by Hypothesis on every backend, beyond the declared samples; they need ``hypothesis``.

``KBACKEND_DRAWN_EXAMPLES=500`` draws 500 examples of each family instead of twenty.
"""

from __future__ import annotations

import pytest

from kbackend.testing.drawn.families import FAMILIES
from kbackend.testing.plugin import count, kit_target


@pytest.mark.processor
@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_calls(kit_backend: str, family: str) -> None:
    """Forward, gradient, symbolic against concrete, inferred shapes, unknown batch size, against NumPy in float64."""
    pytest.importorskip("hypothesis")
    from kbackend.testing.drawn.checks import check_family

    report = check_family(family, kit_target(kit_backend))
    count(kit_backend, report)
    if report.faults:
        pytest.fail(str(report), pytrace=False)
