"""Coverage of the kit: a sample for every op, every row of the semantics, and a reason for every exception."""

from __future__ import annotations

from kbackend import K
from kbackend.declare.op import REGISTRY
from kbackend.testing import counts, tolerances
from kbackend.testing.samples import all_ops, groups, op_key, samples_of
from kbackend.testing.suite import test_semantics, test_state

#: functions of state or gradients -> the test that covers them
SHOWN_BY = {
    "K.constant": "test_variables_and_constants",
    "K.custom_gradient": "test_a_gradient_of_ones_own",
    "K.gradients": "test_gradients_of_any_tensor_and_any_order",
    "K.moving_average_update": "test_kinds_of_update",
    "K.placeholder": "test_variables_and_constants",
    "K.random_normal_variable": "test_random_variables_start_the_same_everywhere",
    "K.random_uniform_variable": "test_random_variables_start_the_same_everywhere",
    "K.update": "test_kinds_of_update",
    "K.update_add": "test_kinds_of_update",
    "K.update_sub": "test_kinds_of_update",
    "K.variable": "test_variables_and_constants",
    "with_gradient": "test_a_gradient_of_ones_own",
}
#: functions that no sample can express -> the reason
NO_SAMPLE = {
    "call_module": "an engine's own module, which is no sample of another engine",
    "foreign": "an engine's own function, which is no sample of another engine",
    "K.eager": "returns its argument, a function",
    "K.symbolic": "returns its argument, a function",
    "K.get_session": "always raises",
    "K.set_session": "always raises",
    "K.manual_variable_initialization": "does nothing or raises",
    "K.vectorize": "returns a Python function",
    "K.einsum": "its operands follow its first argument; the primitive has the samples",
    "K.ctc_label_dense_to_sparse": "returns a sparse tensor, which is not a node",
}
#: rows that need a function of K that does not exist yet
WAITING: dict[int, str] = {}
#: rows that define no behaviour
NOT_PROMISED = {45: "denormals"}


def test_every_op_has_samples() -> None:
    without = {op_key(op) for op in counts.unsampled(counts.reached_ops())}
    excused = SHOWN_BY.keys() | NO_SAMPLE.keys()
    assert not without - excused, f"no samples: {', '.join(sorted(without - excused))}"
    assert not excused - without, f"now sampled: {', '.join(sorted(excused - without))}"


def test_tests_that_stand_for_samples_exist() -> None:
    assert all(hasattr(test_state, name) for name in SHOWN_BY.values())


def test_every_row_is_shown_or_waits() -> None:
    shown = {row for row in counts.rows_of_samples()} | _rows_of_tests()
    listed = WAITING.keys() | NOT_PROMISED.keys()
    assert not shown & listed, f"rows that wait no longer: {sorted(shown & listed)}"
    assert sorted(shown | listed) == list(counts.ROWS), (
        f"missing: {sorted(set(counts.ROWS) - shown - listed)}"
    )


def _rows_of_tests() -> set[int]:
    marks = [
        m
        for test in vars(test_semantics).values()
        for m in getattr(test, "pytestmark", ())
        if m.name == "row"
    ]
    return {row for mark in marks for row in mark.args}


def test_rows_wait_only_for_what_is_not_there() -> None:
    there = {row: name for row, name in WAITING.items() if hasattr(K, name) or name in REGISTRY}
    assert not there, f"write samples for the rows of {there}"


def test_samples_are_well_formed() -> None:
    faults = []
    for op in all_ops():
        for index, sample in enumerate(samples_of(op)):
            where = f"{op_key(op)}[{index}] {sample.name!r}"
            if sample.reason and sample.tolerance is None and sample.compare == "values":
                faults.append(f"{where} gives a reason and overrides nothing")
            try:
                tolerances.class_of(op, sample)
            except ValueError as error:
                faults.append(f"{where}: {error}")
        if samples_of(op):
            assert groups(op), op_key(op)
    assert not faults, "\n".join(faults)
