"""Wrong backends, each made from the NumPy one by one changed kernel: the kit must reject them all.

The kit's definition is the unchanged NumPy backend, which each test also sends through the same check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from autograd.tracer import isbox

from kbackend.plugin.contract import InPlace, Specialized, Target
from kbackend.plugin.gaps import not_yet
from kbackend.plugin.geometry import same_pairs
from kbackend.plugin.select import target
from kbackend.testing import (
    Report,
    check_definition,
    check_in_place,
    check_op,
    check_random_stream,
    check_round_trip,
    check_second,
    find_op,
    graphs,
    groups,
    oracle,
    samples,
    with_kernels,
)
from kbackend.testing.checks import gaps, overrides

NUMPY = target("numpy")
KERNELS = NUMPY.backend.kernels


@dataclass
class Mutant:
    """A backend with one wrong kernel.

    Args:
        name: what is wrong.
        op: the op whose kernel is changed.
        kernel: the wrong kernel.
        fault: a part of the fault that must be reported.
        groups: the dtypes of the samples that are run; all when empty.
        check: the check that must reject it, a function of op, target and group.
    """

    name: str
    op: str
    kernel: Any
    fault: str
    groups: tuple[str, ...] = ()
    check: Callable[[Any, Target, str], Report] = field(default=check_op)

    def report(self, on: Target) -> Report:
        total = Report(on.backend)
        op = find_op(self.op)
        for group in self.groups or groups(op):
            found = self.check(op, on, group)
            total.faults += found.faults
            total.checked += found.checked
        return total


def value_of(x: Any) -> Any:
    while isbox(x):
        x = x._value
    return x


def wrong_gradient(op: str, vjp: Callable[..., Any]) -> Any:
    """The op's kernel with other derivatives: ``vjp(g, result, operand number, *operands)``."""

    @primitive
    def kernel(*args: Any, **attrs: Any) -> Any:
        return KERNELS[op](*args, **attrs)

    count = len(find_op(op).operands)
    defvjp(kernel, *(lambda ans, *args, place=place, **attrs: lambda g: vjp(g, ans, place, *args, **attrs)
                     for place in range(count)))
    return kernel


def flipped_axes(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return KERNELS["sum"](x, axis=tuple(x.ndim - 1 - a for a in axis), keepdims=keepdims)


def flipped_softmax(x: Any, axis: int) -> Any:
    return KERNELS["softmax"](x, axis=x.ndim - 1 - axis % x.ndim)


def pad_at_the_start(x: Any, kernel: Any, bias: Any = None, *, padding: Any, **attrs: Any) -> Any:
    if padding == "same":
        pairs = same_pairs(x.shape[1:-1], kernel.shape[:-2], attrs["strides"], attrs["dilation"])
        padding = tuple((after, before) for before, after in pairs)
    return KERNELS["convolution"](x, kernel, bias, padding=padding, **attrs)


def padding_counted(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    if padding == "same":
        padding = same_pairs(x.shape[1:-1], window, strides, (1,) * len(window))
    padded = np.pad(value_of(x), [(0, 0), *padding, (0, 0)])
    return KERNELS["avg_pool"](padded, window=window, strides=strides, padding=((0, 0),) * len(window))


def unbiased(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.var(value_of(x), axis=axis, keepdims=keepdims, ddof=1).astype(x.dtype)


def one_pass(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    x = value_of(x)
    mean = np.mean(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    return np.mean(x * x, axis=axis, keepdims=keepdims, dtype=x.dtype) - mean * mean


def leaks_float64(x: Any) -> Any:
    return KERNELS["tanh"](x) * np.float64(1.0) if x.ndim else np.float64(np.tanh(value_of(x)))


def accumulates_in_float16(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    x, kept = value_of(x), x.dtype
    total = np.zeros_like(np.sum(x, axis=axis, keepdims=True))
    for row in np.moveaxis(x, axis, range(len(axis))).reshape(-1, *total.reshape(-1).shape):
        total = (total + row.reshape(total.shape)).astype(kept)
    found = total / kept.type(np.prod([x.shape[a] for a in axis]))
    return found if keepdims else found.reshape([d for i, d in enumerate(x.shape) if i not in axis])


def takes_the_last_tie(x: Any, axis: int) -> Any:
    x = value_of(x)
    return x.shape[axis] - 1 - np.argmax(np.flip(x, axis), axis=axis)


def changes_its_input(x: Any, y: Any) -> Any:
    x, y = value_of(x), value_of(y)
    if x.shape == np.broadcast_shapes(x.shape, y.shape) and x.ndim:
        x += y
        return np.array(x)
    return x + y


def returns_its_input(tensors: Any, axis: int) -> Any:
    return tensors[0] if len(tensors) == 1 else KERNELS["concatenate"](tensors, axis)


def ignores_nan(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    with np.errstate(all="ignore"):
        return np.fmax.reduce(value_of(x), axis=axis, keepdims=keepdims)


def sign_of_nan_is_zero(x: Any) -> Any:
    return np.nan_to_num(np.sign(value_of(x))).astype(x.dtype)


def wraps(reference: Any, indices: Any) -> Any:
    return KERNELS["gather"](reference, value_of(indices) % reference.shape[0])


def value_error_by_zero(x: Any, y: Any) -> Any:
    if not np.all(y) and y.dtype.kind == "i":
        raise ValueError("division by zero")
    return np.floor_divide(x, y)


def bakes_the_batch(specs: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Divides by the size that was known when the kernel was made."""
    count = int(np.prod([specs[0].shape[a] or 1 for a in axis]))
    return lambda x: KERNELS["sum"](x, axis=axis, keepdims=keepdims) / x.dtype.type(count)


def same_draw_always(step: Any, *args: Any, **attrs: Any) -> Any:
    return KERNELS["random_unit"](np.int64(3), *args, **attrs)


def same_mask_always(x: Any, rate: Any, step: Any, **attrs: Any) -> Any:
    return KERNELS["dropout"](x, rate, np.int64(0), **attrs)


def forgets_the_squares(cells: Any, params: Any, grads: Any, means: Any, squares: Any, *scalars: Any) -> None:
    last = cells[2 * len(grads):]
    kept = [np.array(cell) for cell in last]
    KERNELS["adam_step"].function(cells, params, grads, means, squares, *scalars)
    for cell, value in zip(last, kept):
        cell[...] = value


def rate_outside_the_velocity(
    cells: Any, params: Any, grads: Any, velocities: Any, lr: Any, momentum: Any, nesterov: bool
) -> None:
    for p, v, g in zip(cells, cells[len(grads):], grads):
        v[...] = p.dtype.type(momentum) * v - g
        p += p.dtype.type(lr) * v


def all_to_the_first(g: Any, ans: Any, place: int, x: Any, y: Any) -> Any:
    x, y = value_of(x), value_of(y)
    share = (x >= y) if place == 0 else (x < y)
    found = g * share
    shape = (x, y)[place].shape
    while found.ndim > len(shape):
        found = found.sum(axis=0)
    return sum_to(found, shape)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    axes = tuple(i for i, d in enumerate(shape) if d == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True) if axes else g


MUTANTS = [
    Mutant("sum over the other axes", "sum", flipped_axes, "at once"),
    Mutant("softmax over the other axis", "softmax", flipped_softmax, "at once"),
    Mutant("the odd pad at the start", "convolution", pad_at_the_start, "at once"),
    Mutant("average pool counts padding", "avg_pool", padding_counted, "expected", ("float64",)),
    Mutant("unbiased variance", "var", unbiased, "at once", ("float64",)),
    Mutant("variance in one pass", "var", one_pass, "'offset' float32", ("float32",)),
    Mutant("a float64 leak", "tanh", leaks_float64, "the dtype is float64, inferred is float32", ("float32",)),
    Mutant("float16 accumulates in float16", "mean", accumulates_in_float16, "accumulates in float32", ("float16",)),
    Mutant("the last of equal maxima", "argmax", takes_the_last_tie, "expected"),
    Mutant("changes its input", "add", changes_its_input, "the call has changed input 0", ("float64",)),
    Mutant("returns its input", "concatenate", returns_its_input, "shares memory with input 0", ("float32",)),
    Mutant("maximum ignores NaN", "max", ignores_nan, "NaN is at no position", ("float64",)),
    Mutant("sign of NaN is 0", "sign", sign_of_nan_is_zero, "NaN is at no position", ("float64",)),
    Mutant("indices wrap", "gather", wraps, "it does not raise IndexError", ("float32",)),
    Mutant("the wrong exception", "floor_divide", value_error_by_zero, "instead of ZeroDivisionError", ("fixed",)),
    Mutant("the batch size is baked in", "mean", Specialized(bakes_the_batch), "any batch size", ("float32",)),
    Mutant("draws do not depend on the step", "random_unit", same_draw_always, "at once", ("fixed",)),
    Mutant("no gradient", "multiply", wrong_gradient("multiply", lambda g, ans, place, x, y: value_of(
        (x, y)[place]) * 0), "gradient of input 0", ("float64",)),
    Mutant("half the gradient", "exp", wrong_gradient("exp", lambda g, ans, place, x: g * ans * 0.5),
           "gradient of input 0", ("float64",)),
    Mutant("a tie goes to the first", "maximum", wrong_gradient("maximum", all_to_the_first), "expected gradient",
           ("float64",)),
    Mutant("Adam forgets a state", "adam_step", InPlace(forgets_the_squares), "squares[0] after step 1",
           check=check_in_place),
    Mutant("the rate outside the velocity", "momentum_step", InPlace(rate_outside_the_velocity), "velocities[0]",
           check=check_in_place),
]


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_kit_rejects(mutant: Mutant) -> None:
    accepted = mutant.report(NUMPY)
    assert accepted.checked and not accepted.faults, f"the right backend is rejected:\n{accepted}"
    wrong = with_kernels(NUMPY, "mutant", **{mutant.op: mutant.kernel})
    found = mutant.report(wrong)
    assert any(mutant.fault in str(fault) for fault in found.faults), (
        f"no fault mentions {mutant.fault!r}; found {len(found.faults)} of {found.checked}:\n{found}"
    )


def doubles_an_axis_of_one(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Wrong only where a reduced dimension has one element."""
    result = KERNELS["sum"](x, axis=axis, keepdims=keepdims)
    return result * 2 if any(x.shape[a] == 1 for a in axis) else result


def turned_beside_nothing(tensors: Any, axis: int) -> Any:
    """Wrong only where one of the tensors has no elements along the axis."""
    result = KERNELS["concatenate"](tensors, axis=axis)
    return result[::-1] if any(t.shape[axis] == 0 for t in tensors) else result


@pytest.mark.parametrize(("family", "op", "kernel"), [
    ("reduction", "sum", doubles_an_axis_of_one),
    ("joining", "concatenate", turned_beside_nothing),
    ("normalised", "softmax", flipped_softmax),
    ("picking", "gather", lambda x, indices: KERNELS["gather"](x, np.minimum(indices, 2))),
    ("products", "matmul", lambda x, y: KERNELS["matmul"](x, y) if value_of(x).shape[-1] else value_of(
        KERNELS["matmul"](x, y)) + 1),
    ("binary", "where", lambda c, x, y: KERNELS["where"](c, x, y) if c.ndim else KERNELS["where"](~c, x, y)),
])
def test_drawn_calls_reject(family: str, op: str, kernel: Any) -> None:
    pytest.importorskip("hypothesis")
    from kbackend.testing.drawn.checks import check_family

    accepted = check_family(family, NUMPY, examples=60)
    assert accepted.checked and not accepted.faults, f"the right backend is rejected:\n{accepted}"
    found = check_family(family, with_kernels(NUMPY, "mutant", **{op: kernel}), examples=60, smallest=False)
    assert found.faults and found.checked


@pytest.mark.parametrize("op, kernel", [("random_unit", same_draw_always), ("dropout", same_mask_always)])
def test_the_kit_rejects_a_mask_that_is_used_again(op: str, kernel: Any) -> None:
    accepted = check_random_stream(NUMPY)
    assert accepted.checked and not accepted.faults
    kernels = {"dropout": None, op: kernel}  # so that dropout draws from random_unit in the first case
    found = check_random_stream(with_kernels(NUMPY, "mutant", **kernels))
    assert any("the values of the run before" in str(fault) for fault in found.faults), str(found)


def test_the_kit_rejects_a_composition_that_differs_from_its_kernel() -> None:
    softmax = find_op("softmax")
    assert overrides.is_override(softmax, NUMPY)
    assert not overrides.check_override(softmax, NUMPY).faults
    wrong = with_kernels(NUMPY, "mutant", exp=lambda x: KERNELS["exp"](x) + x.dtype.type(1e-3))
    assert any("composition" in fault.check for fault in overrides.check_override(softmax, wrong).faults)


def test_the_kit_rejects_a_wrong_gradient_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    exp = find_op("exp")
    assert not check_definition(exp).faults
    wrong = with_kernels(NUMPY, "mutant", exp=wrong_gradient("exp", lambda g, ans, place, x: g * ans * 1.001))
    monkeypatch.setattr(oracle, "reference_target", lambda: wrong)
    oracle.reference_gradients.cache_clear()
    found = check_definition(exp)
    oracle.reference_gradients.cache_clear()
    assert any("central differences" in fault.check for fault in found.faults)


def test_the_kit_rejects_a_gradient_that_is_not_differentiable() -> None:
    exp = find_op("exp")
    assert check_second(exp, NUMPY).checked and not check_second(exp, NUMPY).faults
    wrong = with_kernels(NUMPY, "mutant", exp=wrong_gradient("exp", lambda g, ans, place, x: g * value_of(ans)))
    assert not check_op(exp, wrong, "float64").faults
    assert any("second gradient" in fault.check for fault in check_second(exp, wrong).faults)


def test_the_kit_rejects_a_graph_that_comes_back_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    pad = find_op("pad")
    assert check_round_trip(pad).checked and not check_round_trip(pad).faults
    read = graphs.from_json
    monkeypatch.setattr(graphs, "from_json", lambda text: read(text.replace("2.5", "3.5")))
    assert any("another text" in fault.message for fault in check_round_trip(pad).faults)


def test_a_gap_is_strict() -> None:
    wrong = with_kernels(NUMPY, "mutant", max=ignores_nan)
    op = find_op("max")
    wrong.backend.gaps = {"max": not_yet("NaN is ignored", "NaN")}
    report = check_op(op, wrong, "float64")
    assert any("'NaN'" in str(fault) for fault in report.faults)
    excused = gaps.without_declared(report, op, wrong)
    assert not any("'NaN'" in str(fault) for fault in excused.faults)
    assert not gaps.check_gap(op, wrong).faults
    wrong.backend.gaps = {"max": not_yet("NaN is ignored", "NaN", "int32", "no such sample")}
    messages = [fault.message for fault in gaps.check_gap(op, wrong).faults]
    assert len(messages) == 2
    assert "'int32' is declared to fail and passes" in messages[0]
    assert "the gap names the sample 'no such sample'" in messages[1]


def test_a_missing_kernel_is_a_skip_with_its_reason_only_where_it_is_declared() -> None:
    without = with_kernels(NUMPY, "mutant", tanh=None)
    undeclared = check_op(find_op("tanh"), without, "float32")
    assert any("neither a kernel nor a gap" in fault.message for fault in undeclared.faults)
    without.backend.gaps = {"tanh": not_yet("nobody has written it")}
    declared = check_op(find_op("tanh"), without, "float32")
    assert not declared.faults
    assert {reason for _, reason in declared.skipped} == {
        "tanh is not available on the backend mutant (not_yet: nobody has written it)"}


def test_samples_are_the_same_at_each_realisation() -> None:
    op = find_op("add")
    for group in groups(op):
        for case in samples.cases(op, group):
            again = samples.make_case(op, case.index, case.sample, group)
            assert [a.tolist() for a in again.arrays] == [a.tolist() for a in case.arrays]
            assert [a.dtype for a in again.arrays] == [a.dtype for a in case.arrays]
