"""Tolerances of results against the reference, by class of op and dtype, as published in docs/semantics.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import Op
from kbackend.declare.sample import Sample
from kbackend.testing.samples import FIXED, sample_groups, samples_of

EXACT = {"float64": 0.0, "float32": 0.0, "float16": 0.0, "bfloat16": 0.0}
_REDUCTION = {"float64": 1e-13, "float32": 1e-6, "float16": 2e-3, "bfloat16": 1.6e-2}

#: class -> dtype -> the bound of max|x - ref| / max|ref|
TOLERANCES: dict[str, dict[str, float]] = {
    "exact": EXACT,
    "moving": EXACT,
    "elementwise": {"float64": 1e-14, "float32": 5e-7, "float16": 1e-3, "bfloat16": 1e-2},
    "reduction": _REDUCTION,
    "cumulative": _REDUCTION,  # see `tolerance`: the bound grows with the length
    "matmul": {"float64": 1e-13, "float32": 2e-6, "float16": 5e-3, "bfloat16": 2e-2},
    "rnn": {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2},
    "model": {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2},
    "gradient": {"float64": 1e-10, "float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1},
}
#: the bound of central differences of the reference, whose error is of the order of eps ** (2 / 3)
CENTRAL_DIFFERENCES = 1e-6
_LONGEST_CUMULATION = 1e-4
#: classes of sums of products
_PRODUCTS = {"matmul", "rnn", "model"}
#: classes of ops that compute element by element, or only move elements
_BY_ELEMENT = {"elementwise", "exact", "moving"}


def class_of(op: Op, sample: Sample) -> str:
    """The class of tolerance of a sample.

    Raises:
        ValueError: an unknown class, or an override without a reason.
    """
    name = sample.tolerance or op.tolerance
    if name not in TOLERANCES:
        raise ValueError(f"{op.name}: unknown class of tolerance {name!r}; known are {', '.join(TOLERANCES)}")
    if sample.tolerance is not None and not sample.reason:
        raise ValueError(f"{op.name}: a sample overrides the tolerance with {name!r} and gives no reason")
    return name


def is_computed(op: Op, group: str) -> bool:
    """Whether results of an op in a dtype can depend on the instruction set of the processor.

    Results of products do in every float dtype; those of other kernels that compute do in float32 and below, where
    engines have kernels for particular processors. Functions that only call ops and ops that only move elements do not.
    Kernels of elementwise composites are compared by the check of overrides.
    """
    if op.kind == "derived":
        return False
    classes = {class_of(op, s) for s in samples_of(op) if group in sample_groups(s)}
    if group in ("float64", FIXED):
        return bool(classes & _PRODUCTS)
    return not classes <= (_BY_ELEMENT if op.kind == "composite" else {"moving"})


def tolerance(name: str, dtype: str, arrays: Sequence[Any] = ()) -> float:
    """The bound of a class in a dtype; 0 for integers and bool."""
    dtype = dtypes.real_of(dtype)
    if not dtypes.is_float(dtype):
        return 0.0
    if name == "cumulative" and dtype in ("float64", "float32"):
        longest = max((d for a in arrays for d in np.shape(a)), default=1)
        bound = max(longest, 2) * float(np.finfo(dtype).eps)
        return bound if dtype == "float64" else min(bound, _LONGEST_CUMULATION)
    return TOLERANCES[name][dtype]


def coarser(*names: str) -> str:
    """The float dtype of the least precision among dtypes; the first dtype if none is a float."""
    floats = [n for n in names if dtypes.is_float(n)]
    order = ("bfloat16", "float16", "float32", "float64")
    return min(floats, key=order.index) if floats else names[0]
