"""Variables, updates, gradients and random streams on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kbackend import K
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.testing.checks.state import check_random_stream
from kbackend.testing.oracle import reference_target
from kbackend.testing.plugin import count, kit_target

START = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)


@pytest.fixture
def active(kit_backend: str) -> Iterator[Target]:
    """The backend that is checked, as the active one."""
    with use_target(kit_target(kit_backend)) as target:
        yield target


def test_random_streams(kit_backend: str) -> None:
    report = check_random_stream(kit_target(kit_backend))
    count(kit_backend, report)
    assert not report.faults, str(report)


def test_variables_and_constants(active: Target) -> None:
    v = K.variable(START, name="v")
    x = K.placeholder((None, 2))
    f = K.function([x], [K.dot(x, v), K.identity(K.constant(START))])
    product, constant = f([np.eye(2)])
    assert product.tolist() == constant.tolist() == START.tolist()
    K.set_value(v, 2 * START)
    assert f([np.eye(2)])[0].tolist() == (2 * START).tolist()
    assert K.get_value(v).tolist() == (2 * START).tolist()
    assert K.get_value(v).dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        K.set_value(v, np.zeros(3))


def test_outputs_see_the_old_state_and_updates_take_effect_together(active: Target) -> None:
    a, b = K.variable(START), K.variable(10 * START)
    f = K.function([], [a, b], updates=[(a, b), (b, a + b)])
    first = f([])
    assert [t.tolist() for t in first] == [START.tolist(), (10 * START).tolist()]
    assert K.get_value(a).tolist() == (10 * START).tolist()
    assert K.get_value(b).tolist() == (11 * START).tolist()
    f([])
    assert K.get_value(a).tolist() == (11 * START).tolist()
    assert K.get_value(b).tolist() == (21 * START).tolist()
    assert [t.tolist() for t in first] == [START.tolist(), (10 * START).tolist()], (
        "an output changed afterwards"
    )


def test_kinds_of_update(active: Target) -> None:
    total, left, average = K.variable(1.0), K.variable(1.0), K.variable(1.0)
    step = K.placeholder(())
    f = K.function(
        [step],
        [],
        updates=[
            K.update_add(total, step),
            K.update_sub(left, step),
            K.moving_average_update(average, step, 0.5),
        ],
    )
    f([3.0])
    assert [float(K.get_value(v)) for v in (total, left, average)] == [4.0, -2.0, 2.0]
    K.function([], [], updates=[K.update(total, left * 2.0)])([])
    assert float(K.get_value(total)) == -4.0


def test_an_error_changes_nothing(active: Target) -> None:
    rows, steps = K.variable(START), K.variable(0.0)
    index = K.placeholder((None,), dtype="int32")
    chosen = K.gather(rows, index)
    f = K.function([index], [chosen], updates=[K.update_add(steps, 1.0), (rows, rows + K.sum(chosen))])
    with pytest.raises(IndexError):
        f([[0, 2]])
    with pytest.raises(ValueError, match="rank"):
        f([[[0]]])
    assert float(K.get_value(steps)) == 0.0
    assert K.get_value(rows).tolist() == START.tolist()
    f([[0]])
    assert float(K.get_value(steps)) == 1.0


def test_gradients_of_any_tensor_and_any_order(active: Target) -> None:
    x, v, other = K.placeholder((2,)), K.variable([2.0, 3.0]), K.variable([1.0])
    inner = x * v
    loss = K.sum(inner * inner * x)
    by_x, by_v, by_inner, by_other = K.gradients(loss, [x, v, inner, other])
    (second,) = K.gradients(K.sum(by_v * by_v), [v])
    assert by_other is None
    found = K.function([x], [by_x, by_v, by_inner, second])([[1.0, -2.0]])
    xs, vs = np.array([1.0, -2.0]), np.array([2.0, 3.0])
    wanted = [3 * xs**2 * vs**2, 2 * xs**3 * vs, 2 * xs * vs * xs, 2 * (2 * xs**3) ** 2 * vs]
    for mine, right in zip(found, wanted):
        np.testing.assert_allclose(mine, right, rtol=1e-6)


def test_a_gradient_of_ones_own(active: Target) -> None:
    from kbackend.ops.control.custom_gradient import custom_gradient

    @custom_gradient
    def scaled(a: Any, b: Any) -> Any:
        return a * b, lambda upstream: [K.clip(upstream, -1.0, 1.0) * 5.0 * a * a, None]

    a, b = K.placeholder((2,)), K.placeholder((2,))
    y = scaled(a, b)
    of_a, of_b = K.gradients(K.sum(3.0 * y) + K.sum(b), [a, b])
    (second,) = K.gradients(K.sum(of_a), [a])
    found = K.function([a, b], [y, of_a, of_b, second])([[1.0, 2.0], [4.0, -1.0]])
    for mine, right in zip(found, ([4.0, -2.0], [5.0, 20.0], [1.0, 1.0], [10.0, 20.0])):
        np.testing.assert_allclose(mine, right, rtol=1e-6)


def test_a_gradient_beside_an_update(active: Target) -> None:
    w = K.variable([1.0, 2.0])
    loss = K.sum(w * w)
    (gradient,) = K.gradients(loss, [w])
    step = K.function([], [loss], updates=[(w, w - 0.25 * gradient)])
    assert [float(step([])[0]) for _ in range(3)] == [5.0, 1.25, 0.3125]


def test_a_step_of_an_optimizer_whose_results_become_other_variables(active: Target) -> None:
    from kbackend.ops.nn.optimizer_steps import sgd_step

    first, second, other = K.variable(START), K.variable(-START), K.variable(10 * START)
    gradient = K.placeholder((2, 2))
    crossed = sgd_step([first, second], [gradient, gradient], 0.5)
    f = K.function([gradient], [], updates=[(second, crossed[0]), (other, crossed[1])])
    f([START])
    assert K.get_value(first).tolist() == START.tolist()
    assert K.get_value(second).tolist() == (0.5 * START).tolist()
    assert K.get_value(other).tolist() == (-1.5 * START).tolist()


def test_random_variables_start_the_same_everywhere(active: Target) -> None:
    K.set_seed(5)
    found = [
        K.get_value(K.random_uniform_variable((4, 3), -1.0, 1.0)),
        K.get_value(K.random_normal_variable((4, 3), 0.0, 1.0)),
    ]
    with use_target(reference_target()):
        K.set_seed(5)
        wanted = [
            K.get_value(K.random_uniform_variable((4, 3), -1.0, 1.0)),
            K.get_value(K.random_normal_variable((4, 3), 0.0, 1.0)),
        ]
    for mine, numpys in zip(found, wanted):
        assert mine.dtype == np.float32
        assert mine.tolist() == numpys.tolist()
        assert len(set(mine.ravel().tolist())) == mine.size
