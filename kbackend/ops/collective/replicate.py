"""Weights that all processes of a run hold, whose gradients are those of the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import dtypes
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec


def _samples() -> list[Sample]:
    return [
        call([In((4, 3)), In(()), In((0, 2))], name="several"),
        call([In((2,), kind="int32", gradient=False)], raises=TypeError, dynamic=False, name="no floats"),
    ]


def _checked(tensors: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
    for spec in tensors:
        if not dtypes.is_float(spec.dtype):
            raise TypeError(f"replicated takes floats, which have gradients, not {spec.dtype}")
    return tuple(tensors)


@composite(rule=_checked, tolerance="exact", view=True, samples=_samples)
def replicated(tensors: TensorList) -> Any:
    """The tensors, which are equal in all processes of the run; their gradients are summed over the processes.

    It is the transpose of :func:`kbackend.distribution.all_reduce` where the loss is a sum over the processes. An
    engine may send the gradients of the last tensors while it computes those of the first.

    Args:
        tensors: floats.

    Returns:
        A tuple of the tensors.

    Raises:
        TypeError: tensors of another dtype.

    Source: Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
    2019, section 3 (the conjugate operators f and g).
    """
    return list(tensors)


__all__: list[str] = []
