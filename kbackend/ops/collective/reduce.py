"""Sums over the processes of a distributed run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec


def _samples() -> list[Sample]:
    integers = In((3,), values=np.array([1, 2, 3]), kind="int64", gradient=False)
    return [
        call([In((4, 3))], name="one tensor"),
        call([In((4, 3)), In(()), In((0, 2))], name="several"),
        call([integers], gradient=False, name="integers", expect=(np.array([1, 2, 3]),)),
        call([In((2,), kind="bool", gradient=False)], raises=TypeError, dynamic=False, name="no numbers"),
    ]


def _checked(tensors: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
    for spec in tensors:
        if not (dtypes.is_float(spec.dtype) or dtypes.is_integer(spec.dtype)):
            raise TypeError(f"all_reduce sums floats and integers, not {spec.dtype}")
    return tuple(tensors)


@composite(rule=_checked, tolerance="exact", samples=_samples)
def all_reduce(tensors: TensorList) -> Any:
    """The sum of each tensor over all processes of the run, which get the same sums; without other processes the
    tensors themselves.

    All processes must come to it with tensors of the same shapes. The tensors of one call travel together, so that one
    call costs one latency.

    The gradient of a loss that is itself a sum over processes, to which each contributes a part, is the sum of the
    gradients over the processes.

    Args:
        tensors: floats or integers.

    Returns:
        A tuple of tensors of the same shapes and dtypes.

    Raises:
        TypeError: tensors of another dtype.

    Source: MPI: A Message-Passing Interface Standard, version 4.1, section 6.9.6 (MPI_ALLREDUCE).

    >>> from kbackend import K
    >>> from kbackend.distribution import all_reduce
    >>> (total,) = all_reduce([K.constant([1.0, 2.0])])
    >>> K.eval(total).tolist()
    [1.0, 2.0]
    """
    return list(tensors)


__all__: list[str] = []
