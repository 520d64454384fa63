"""Programs of TensorFlow that presume finite values: what a call that meets another one returns and leaves behind."""

import numpy as np
import pytest
from support.arrays import drawn

import kbackend
from kbackend import K, optimizers

pytestmark = [pytest.mark.engine("tensorflow"), pytest.mark.processor]

WITH_NAN = drawn(2, 4, 4, 1).astype("float32")
WITH_NAN[1, 0, 0, 0] = np.nan
WITH_LOWEST = np.full((2, 4, 4, 1), -np.inf, "float32")
WITH_LOWEST[0, 3, 3, 0] = 1.0


@pytest.fixture(autouse=True)
def _without_abilities(monkeypatch):
    """Kernels that need the check, on every machine."""
    from kbackend_tensorflow import abilities

    for name in ("pools_nan", "softmax_spreads_nan"):
        monkeypatch.setattr(abilities, name, lambda *args: False)
    with kbackend.use_backend("tensorflow"):
        yield


def programs():
    """A function of x and the same one on NumPy: pooling, its gradient, and the softmax of an attention."""
    found = []
    for backend in ("tensorflow", "numpy"):
        with kbackend.use_backend(backend):
            x = K.placeholder((None, 4, 4, 1))
            y = K.pool2d(x, (2, 2))
            scores = K.softmax(K.reshape(x, (-1, 4, 4)))
            found.append(K.function([x], [y, *K.gradients(K.sum(y), [x]), scores]))
    return found


def ops_of(graph):
    return {op.type for op in graph.get_operations()}


def test_a_value_that_is_not_finite_is_repaired_from_then_on():
    ours, wanted = programs()
    asked = [drawn(2, 4, 4, 1), WITH_NAN, WITH_LOWEST, drawn(0, 4, 4, 1), drawn(2, 4, 4, 1), WITH_NAN]
    for x in asked:
        with kbackend.use_backend("numpy"), np.errstate(invalid="ignore"):
            right = wanted([x])
        found = ours([x])
        for ours_is, theirs_is in zip((found[0], found[2]), (right[0], right[2]), strict=True):
            np.testing.assert_allclose(ours_is, theirs_is, rtol=1e-6)
        if np.isfinite(x).all():
            np.testing.assert_allclose(found[1], right[1], rtol=1e-6)


def test_later_calls_run_the_program_with_the_branch():
    from kbackend_tensorflow import engine

    kinds = []
    made = engine._Traced.__init__

    def counting(self, *args):
        made(self, *args)
        kinds.append(ops_of(self.graph) & {"Assert", "If", "StatelessIf"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine._Traced, "__init__", counting)
        x = K.placeholder((2, 4, 4, 1))
        program = K.function([x], [K.pool2d(x, (2, 2))])
        for value in (drawn(2, 4, 4, 1), WITH_NAN, WITH_NAN, drawn(2, 4, 4, 1)):
            program([value])
    assert kinds == [{"Assert"}, {"StatelessIf"}]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_variables_change_once_though_the_call_runs_again(optimizer):
    """Of a loss whose gradients need no value that is checked, in a function without outputs."""
    kernel, seen, other = K.variable(drawn(2, 2, 1, 3)), K.variable(0.0), K.variable([1.0, 2.0])
    x = K.placeholder((None, 5, 5, 1))
    loss = K.sum(K.pool2d(K.conv2d(x, kernel), (2, 2))) + K.sum(other)
    updates = [*optimizers.get(optimizer).get_updates(loss, [kernel, other]), (seen, seen + 1.0)]
    step = K.function([x], [], updates=updates)
    step([drawn(2, 5, 5, 1)])
    before = [K.get_value(variable) for variable, _ in updates]
    start, once = K.get_value(other), 1.0
    step([np.full((2, 5, 5, 1), np.nan)])
    assert K.get_value(seen) == once + 1.0
    moved = K.get_value(other) - start
    for variable, value in zip((v for v, _ in updates), before, strict=True):
        K.set_value(variable, value)
    step([drawn(2, 5, 5, 1)])  # the same gradient of the other weight, in the program with the branch
    np.testing.assert_allclose(K.get_value(other) - start, moved, rtol=1e-6)


def test_inside_loops():
    x = K.placeholder((3, 2, 4, 4, 1))
    program = K.function([x], [K.map_fn(lambda one: K.pool2d(one, (2, 2)), x)])
    rows = np.stack([drawn(2, 4, 4, 1), WITH_NAN, drawn(2, 4, 4, 1)])
    assert np.isnan(program([rows])[0]).sum() == 1
    assert not np.isnan(program([np.nan_to_num(rows)])[0]).any()


def test_among_processes_nothing_is_presumed(monkeypatch):
    from kbackend_tensorflow import processes
    from kbackend_tensorflow.presumed import finite

    monkeypatch.setattr(processes, "joined", lambda: object())
    with finite.presumed(True):
        assert not finite._PRESUMED.get()


def test_effects_that_wait_for_no_check_come_once(capsys):
    """A module that counts its calls, and what is printed, in a program that meets NaN."""
    import tensorflow as tf

    class Counting(tf.Module):
        def __init__(self):
            super().__init__()
            self.calls = tf.Variable(0.0, trainable=False)

        def __call__(self, x):
            self.calls.assign_add(1.0)
            return x * 2.0

    module = Counting()
    layer = kbackend.layers.TFModule(module)
    x = kbackend.Input((4, 4, 1))
    function = K.function([x], [K.pool2d(K.print_tensor(layer(x), "seen"), (2, 2))])
    calls = []
    for feed in (np.ones_like(WITH_NAN), WITH_NAN, WITH_NAN, WITH_NAN[:0]):
        function([feed])
        calls.append(float(module.calls))
    assert calls == [1.0, 2.0, 3.0, 4.0]
    assert capsys.readouterr().out.count("seen") == 4


def test_draws_of_the_engine_come_once():
    kbackend.set_rng("native")
    try:
        x = K.placeholder((None, 4, 4, 1))
        function = K.function([x], [K.pool2d(x, (2, 2)), K.random_uniform((2,))])
        found = []
        for feeds in ((np.ones_like(WITH_NAN), WITH_NAN, WITH_NAN), (np.ones_like(WITH_NAN),) * 3):
            K.set_seed(3)
            found.append([function([feed])[1].tolist() for feed in feeds])
        assert found[0] == found[1]
    finally:
        kbackend.set_rng("portable")
