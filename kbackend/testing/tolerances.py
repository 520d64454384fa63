"""Classes of tolerance of samples; :mod:`kbackend.declare.tolerances` has their bounds."""

from __future__ import annotations

from kbackend.declare.op import Op
from kbackend.declare.sample import Sample
from kbackend.declare.tolerances import TOLERANCES
from kbackend.testing.samples import FIXED, sample_groups, samples_of

#: the bound of central differences of the reference, whose error is of the order of eps ** (2 / 3)
CENTRAL_DIFFERENCES = 1e-6
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
