"""The checks of an op on a backend: concrete calls, programs, unknown batch sizes and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import Op
from kbackend.declare.tolerances import coarser, tolerance
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.testing import oracle
from kbackend.testing.compare import difference
from kbackend.testing.oracle import wants_gradient
from kbackend.testing.programs import Built, Ran, build, function_of, run, run_together
from kbackend.testing.report import Report
from kbackend.testing.results import Result, run_concrete
from kbackend.testing.samples import Case, cases, sample_groups
from kbackend.testing.tolerances import class_of

#: relative to the largest gradient of a sample; smaller ones may be rounding errors of gradients that are 0
_GRADIENT_FLOOR = 1e-3


def check_op(op: Op, target: Target, group: str) -> Report:
    """Check an op's samples in one dtype against the NumPy backend in float64.

    Args:
        op: an op or a derived function.
        target: the backend and device.
        group: a dtype, or 'fixed'; one of ``samples.groups(op)``.
    """
    report = Report(target.backend)
    good = [case for case in cases(op, group) if case.sample.raises is None]
    for case in cases(op, group):
        if case.sample.raises is not None:
            check_raises(report, case, target)
    usable = [case for case in good if check_concrete(report, case, target)]
    check_programs(report, usable, target)
    check_dynamic(report, [c for c in usable if c.sample.dynamic and c.group == main_group(c)], target)
    return report


def main_group(case: Case) -> str:
    """The dtype of a sample in which checks that do not depend on the dtype are made."""
    groups = sample_groups(case.sample)
    return "float32" if "float32" in groups else groups[0]


def has_reference(report: Report, case: Case) -> bool:
    """Whether the reference can be computed; a fault is reported if not."""
    before = len(report.faults)
    with report.guarded(case, "reference"):
        oracle.reference(case)
        if wants_gradient(case):
            oracle.reference_gradients(case)
    return len(report.faults) == before


# ------------------------------------------------------------------------------------------------- concrete calls


def check_concrete(report: Report, case: Case, target: Target) -> bool:
    """Check a concrete call: values, dtypes, unmodified inputs and unshared memory.

    Returns:
        Whether more can be checked of the case: there is a reference, and the backend has the kernels. The reference
        comes second, because a backend with few kernels needs few of them.
    """
    tensors = [target.from_numpy(a.copy()) for a in case.arrays]
    lacking, result = len(report.skipped), None
    with report.guarded(case, "at once"):
        result = run_concrete(case, target, tensors)
    if len(report.skipped) > lacking or not has_reference(report, case):
        return False
    if result is not None:
        _check_result(report, case, result, tensors, target)
    return True


def _check_result(report: Report, case: Case, result: Result, tensors: Sequence[Any], target: Target) -> None:
    with report.guarded(case, "at once"):
        check_values(report, case, "at once", result)
        _check_specs(report, case, "at once", result, _specs(case))
        _check_expected(report, case, result)
        for place, (tensor, array) in enumerate(zip(tensors, case.arrays)):
            kept = np.array_equal(target.backend.to_numpy(tensor), array, equal_nan=array.dtype.kind in "fV")
            report.expect(case, "inputs stay", None if kept else f"the call has changed input {place}")
        if case.op.kind != "derived" and case.op.name in target.backend.kernels:
            report.expect(case, "memory", _shared_memory(case, result, tensors, target))


def _specs(case: Case) -> list[TensorSpec]:
    return [t.spec for t in build(case).tensors]


def check_values(
    report: Report, case: Case, check: str, result: Result, wanted: Result | None = None
) -> None:
    """Compare a result with the reference, or with ``wanted``."""
    wanted = wanted or oracle.reference(case)
    if len(result.arrays) != len(wanted.arrays) or result.plain != wanted.plain:
        report.expect(
            case,
            check,
            f"it gives {len(result.arrays)} tensors and {result.plain}, it should give "
            f"{len(wanted.arrays)} tensors and {wanted.plain}",
        )
        return
    if callable(case.sample.compare):
        report.expect(case, check, _compared(case, result, wanted))
        return
    name = class_of(case.op, case.sample)
    for place, (found, dtype, array) in enumerate(zip(result.arrays, result.dtypes, wanted.arrays)):
        bound = tolerance(name, _precision(case, dtype), case.arrays)
        report.expect(case, _numbered(check, place, result.arrays), difference(found, array, bound))


def _compared(case: Case, result: Result, wanted: Result) -> str | None:
    one = len(result.arrays) == 1
    try:
        case.sample.compare(*((r.arrays[0] if one else r.arrays) for r in (result, wanted)))  # type: ignore[operator]
    except AssertionError as error:
        return f"its comparison fails: {error}"
    return None


def _precision(case: Case, dtype: str) -> str:
    """The dtype whose bound applies to a result: its own, or that of inputs of less precision."""
    dtype = dtypes.real_of(dtype)
    return coarser(dtype, case.group) if dtypes.is_float(dtype) else dtype


def _numbered(check: str, place: int, results: Sequence[Any]) -> str:
    return check if len(results) == 1 else f"{check}, result {place}"


def _check_specs(report: Report, case: Case, check: str, result: Result, specs: Sequence[TensorSpec]) -> None:
    """Compare inferred and actual shapes and dtypes; sizes that depend on integer inputs may be unknown."""
    may_be_unknown = any(dtypes.is_integer(dtypes.canonical(a.dtype)) for a in case.arrays)
    for place, (array, dtype, spec) in enumerate(zip(result.arrays, result.dtypes, specs)):
        message = None
        if dtype != spec.dtype:
            message = f"the dtype is {dtype}, inferred is {spec.dtype}"
        elif not fits(array.shape, spec.shape, may_be_unknown):
            message = f"the shape is {array.shape}, inferred is {spec.shape}"
        report.expect(case, _numbered(f"{check}, inferred", place, result.arrays), message)


def fits(shape: Sequence[int], inferred: Sequence[int | None], may_be_unknown: bool = True) -> bool:
    """Whether a shape agrees with the inferred one."""
    return len(shape) == len(inferred) and all(
        real == known or known is None and may_be_unknown for real, known in zip(shape, inferred)
    )


def _check_expected(report: Report, case: Case, result: Result) -> None:
    if case.sample.expect is None:
        return
    if not result.arrays:
        wrong = None if result.plain == list(_as_tuple(case.sample.expect)) else f"it gives {result.plain}"
        report.expect(case, "expected", wrong)
        return
    expected = _as_tuple(case.sample.expect)
    if len(expected) != len(result.arrays):
        report.expect(
            case, "expected", f"it gives {len(result.arrays)} tensors, {len(expected)} are expected"
        )
        return
    name = class_of(case.op, case.sample)
    for place, (found, dtype, wanted) in enumerate(zip(result.arrays, result.dtypes, expected)):
        bound = tolerance(name, _precision(case, dtype), case.arrays)
        rounded = np.asarray(wanted).astype(found.dtype) if bound == 0 else wanted
        check = _numbered("expected", place, result.arrays)
        report.expect(case, check, difference(found, rounded, bound))
        if len(sample_groups(case.sample)) == 1 and _says_dtype(wanted):
            said = dtypes.canonical(wanted.dtype)
            report.expect(case, check, None if dtype == said else f"the dtype is {dtype}, expected is {said}")


def _says_dtype(wanted: Any) -> bool:
    """Whether an expected value specifies its dtype; NumPy's defaults, float64 and int64, may be unintended."""
    return isinstance(wanted, (np.ndarray, np.generic)) and wanted.dtype.name not in ("float64", "int64")


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _shared_memory(case: Case, result: Result, tensors: Sequence[Any], target: Target) -> str | None:
    """A message if the result shares memory with an input, except the first input of an op declared with ``view``."""
    for place, array in enumerate(target.backend.to_numpy(t) for t in tensors):
        if array.size and any(np.shares_memory(array, r) for r in result.arrays):
            if place or not case.op.view:
                return f"the result shares memory with input {place}, and the op does not declare view=True"
    return None


# ------------------------------------------------------------------------------------------------- programs


def check_programs(report: Report, good: Sequence[Case], target: Target) -> None:
    """Check all cases as one program with known shapes: values, gradients, inferred shapes and dtypes."""
    builts = []
    for case in good:
        with report.guarded(case, "as a graph"):
            builts.append(build(case, oracle.weights_like(case) if wants_gradient(case) else None))
    for built, ran in zip(builts, run_together(builts, target)):
        if isinstance(ran, Exception):
            report.error(built.case, "as a program", ran)
            continue
        check_values(report, built.case, "as a program", ran.result)
        _check_specs(report, built.case, "as a program", ran.result, [t.spec for t in built.tensors])
        check_gradients(report, built, ran)


def check_gradients(report: Report, built: Built, ran: Ran, prefix: str = "") -> None:
    """Compare the gradients of a program with those of the reference and the declared ones."""
    case = built.case
    if built.plain_gradient is not None and ran.plain_gradient is not None:
        message = difference(
            ran.plain_gradient, case.sample.expect_gradient, tolerance("gradient", case.group)
        )
        report.expect(case, f"{prefix}expected gradient", message)
    elif case.sample.expect_gradient is not None and wants_gradient(case):
        report.expect(case, f"{prefix}expected gradient", "no gradient reaches the first input")
    if built.gradients and all(np.isfinite(a).all() for a in oracle.reference(case).arrays):
        _compare_gradients(report, built, ran, prefix)


def _compare_gradients(report: Report, built: Built, ran: Ran, prefix: str) -> None:
    """Compare the gradients of the inputs; None means zeros."""
    case, wanted = built.case, oracle.reference_gradients(built.case)
    largest = max((float(np.max(np.abs(w))) for w in wanted if w.size), default=0.0)
    bound = tolerance("gradient", case.group)
    for (place, _), found, reference in zip(built.gradients, ran.gradients, wanted):
        array = case.arrays[place]
        gradient = np.zeros_like(array) if found is None else found
        message = difference(gradient, reference, bound, floor=_GRADIENT_FLOOR * largest)
        if message is None and gradient.dtype != array.dtype:
            message = f"its dtype is {gradient.dtype}, that of the input {array.dtype}"
        report.expect(case, f"{prefix}gradient of input {place}", message)


# ------------------------------------------------------------------------------------------------- dynamic


def check_dynamic(report: Report, good: Sequence[Case], target: Target) -> None:
    """Check all cases as one program with an unknown batch size, at the declared size and at one more."""
    chosen = [(case, *found) for case in good if (found := _unknown_batch(report, case)) is not None]
    builts = [built for _, built, _ in chosen]
    if not builts:
        return
    try:
        function = function_of(builts, f"{builts[0].case.op.name}_any_batch")
        first = run(builts, function, target, _feeds(builts))
        resized = [larger or case for case, _, larger in chosen]
        second = run(builts, function, target, [a for case in resized for a in case.arrays])
    except Exception:  # each case by itself, to find the faulty one
        _dynamic_one_by_one(report, chosen, target)
        return
    for (case, built, larger), one, other in zip(chosen, first, second):
        _compare_dynamic(report, case, built, one, larger, other)


def _dynamic_one_by_one(
    report: Report, chosen: Sequence[tuple[Case, Built, Case | None]], target: Target
) -> None:
    for case, built, larger in chosen:
        with report.guarded(case, "any batch size"):
            function = function_of([built], f"{case.op.name}_any_batch")
            (one,) = run([built], function, target, _feeds([built]))
            (other,) = run([built], function, target, (larger or case).arrays)
            _compare_dynamic(report, case, built, one, larger, other)


def _feeds(builts: Sequence[Built]) -> list[np.ndarray]:
    return [a for b in builts for a in b.case.arrays]


def _compare_dynamic(
    report: Report, case: Case, built: Built, one: Ran, larger: Case | None, other: Ran
) -> None:
    if built.plain:
        return
    report.any_batch += 1
    report.two_sizes += larger is not None
    check_values(report, case, "any batch size", one.result)
    specs = [t.spec for t in built.tensors]
    for array, spec in zip(one.result.arrays, specs):
        wrong = (
            None if fits(array.shape, spec.shape) else f"the shape is {array.shape}, inferred is {spec.shape}"
        )
        report.expect(case, "any batch size, inferred", wrong)
    if larger is not None:
        wanted = run_concrete(larger.with_arrays(larger.widened()), oracle.reference_target())
        check_values(report, larger, "another batch size", other.result, wanted)


def _unknown_batch(report: Report, case: Case) -> tuple[Built, Case | None] | None:
    """The graph with an unknown batch size, and the case with one more row if the reference accepts it.

    The first dimension is unknown of all inputs where it equals that of the first; if the op refuses that, of the first
    only.
    """
    ranked = [place for place, a in enumerate(case.arrays) if a.ndim]
    if not ranked:
        return None
    size = case.arrays[ranked[0]].shape[0]
    together = [place for place in ranked if case.arrays[place].shape[0] == size]
    error: Exception | None = None
    fallback = None
    for places in [together] if together == ranked[:1] else [together, ranked[:1]]:
        try:
            built = build(case, dynamic=places)
        except Exception as raised:  # reported below if no choice is accepted
            error = raised
            continue
        larger = None if built.draws() else _larger(case, places)
        if larger is not None:
            return built, larger
        fallback = fallback or (built, None)
    if fallback is None and error is not None:
        report.error(case, "any batch size", error)
    return fallback


def _larger(case: Case, places: Sequence[int]) -> Case | None:
    """The case with one more row in some inputs, or None if the reference refuses it."""
    if not case.arrays[places[0]].shape[0]:
        return None
    arrays = [np.concatenate([a, a[:1]]) if place in places else a for place, a in enumerate(case.arrays)]
    larger = case.with_arrays(arrays)
    try:
        run_concrete(larger.with_arrays(larger.widened()), oracle.reference_target())
    except (ValueError, TypeError, IndexError):
        return None
    return larger


# ------------------------------------------------------------------------------------------------- errors


def check_raises(report: Report, case: Case, target: Target) -> None:
    """Check that a concrete call raises the declared exception, and that building or running the graph does."""
    wanted = case.sample.raises
    assert wanted is not None
    with report.guarded(case, "error at once"):
        report.expect(case, "error at once", _not_raised(wanted, lambda: run_concrete(case, target), report))
    if case.group == main_group(case):
        with report.guarded(case, "error of the graph"):
            report.expect(
                case, "error of the graph", _not_raised(wanted, lambda: _built_and_run(case, target), report)
            )


def _built_and_run(case: Case, target: Target) -> None:
    with use_target(target):
        built = build(case)
    run([built], function_of([built], case.op.name), target, case.arrays)


def _not_raised(wanted: type[BaseException], action: Any, report: Report) -> str | None:
    try:
        action()
    except wanted as error:
        return None if str(error) else f"its {wanted.__name__} says nothing"
    except NotImplementedError:
        raise
    except Exception as error:  # another exception is the fault
        return f"it raises {type(error).__name__} instead of {wanted.__name__}: {str(error)[:300]}"
    return f"it does not raise {wanted.__name__}"
