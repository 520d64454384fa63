"""What is found out about the steps of a model: how they run fastest, the time of nodes, where engines differ."""

from __future__ import annotations

from typing import Any


def settle(steps: Any, kind: str, groups: Any, size: int) -> None:
    """See :func:`kbackend.training.measuring.of_model.settle`, which only ``jit="auto"`` needs."""
    if steps.jit.setting == "auto":
        from kbackend.training.measuring import of_model

        of_model.settle(steps, kind, groups, size)
