"""Loops over time: scan, maps, folds, K.rnn and the recurrent ops, on every engine, against NumPy loops."""

import numpy as np
import pytest
from support.arrays import values
from support.differences import differences

from kbackend import K

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 2


def place(shape):
    return K.placeholder(shape, dtype="float64")


def weights():
    return values((FEATURES, UNITS), 1), values((UNITS, UNITS), 2)


def reference(x, h, w, u, mask=None, go_backwards=False, shift=0.0):
    """(outputs, last state) of h = tanh(x w + h u + shift) with the output 2 h."""
    outputs, previous = [], np.zeros_like(h)
    for t in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        new = np.tanh(x[:, t] @ w + h @ u + shift)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None].astype(bool)
        previous = np.where(keep, 2 * new, previous)
        h = np.where(keep, new, h)
        outputs.append(previous)
    return np.stack(outputs, 1), h


def step_of(w, u):
    def step(x, states):
        h = K.tanh(K.dot(x, w) + K.dot(states[0], u) + sum(states[1:]))
        return h * 2, [h]

    return step


OPTIONS = {
    "plain": {},
    "backwards": {"go_backwards": True},
    "mask": {"mask": True},
    "mask and backwards": {"mask": True, "go_backwards": True},
    "constants": {"constants": True},
    "all": {"mask": True, "go_backwards": True, "constants": True},
}


@pytest.mark.parametrize("time", [TIME, None], ids=["known", "unknown"])
@pytest.mark.parametrize("unroll", [False, True], ids=["loop", "unrolled"])
@pytest.mark.parametrize("name", OPTIONS)
def test_rnn(each_backend, name, unroll, time):
    options = dict(OPTIONS[name])
    xv, hv = values((BATCH, TIME, FEATURES), 3), values((BATCH, UNITS), 4)
    maskv = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], "float64")
    (wv, uv), shift = weights(), values((UNITS,), 5)
    x, h, mask = place((None, time, FEATURES)), place((None, UNITS)), place((None, time))
    w, u = K.variable(wv, dtype="float64"), K.variable(uv, dtype="float64")
    masked, constants = options.pop("mask", False), options.pop("constants", False)
    last, outputs, (state,) = K.rnn(
        step_of(w, u),
        x,
        [h],
        mask=mask if masked else None,
        unroll=unroll,
        input_length=TIME if unroll else None,
        constants=[K.constant(shift, dtype="float64")] if constants else None,
        **options,
    )
    assert outputs.shape[2] == UNITS
    loss = K.sum(outputs * outputs) + K.sum(state) + K.sum(last * last * last)
    gradients = K.gradients(loss, [x, h, w, u])
    f = K.function([x, h, mask], [last, outputs, state, *gradients])
    got = f([xv, hv, maskv])

    def expected():
        return reference(
            xv, hv, wv, uv, maskv if masked else None, shift=shift if constants else 0.0, **options
        )

    def loss_value():
        outputs, state = expected()
        return (outputs**2).sum() + state.sum() + (outputs[:, -1] ** 3).sum()

    np.testing.assert_allclose(got[0], expected()[0][:, -1], rtol=1e-12)
    np.testing.assert_allclose(got[1], expected()[0], rtol=1e-12)
    np.testing.assert_allclose(got[2], expected()[1], rtol=1e-12)
    for gradient, difference in zip(got[3:], differences(loss_value, [xv, hv, wv, uv]), strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-8)


def test_rnn_second_order(each_backend):
    wv, uv = weights()
    x, h = place((None, None, FEATURES)), place((None, UNITS))
    w, u = K.variable(wv, dtype="float64"), K.variable(uv, dtype="float64")
    _, outputs, _ = K.rnn(step_of(w, u), x, [h])
    first = K.gradients(K.sum(outputs * outputs), [u, x])
    second = K.gradients(K.sum(first[0] * first[0]) + K.sum(first[1] * first[1]), [u, h])
    f = K.function([x, h], [*first, *second])
    xv, hv = values((BATCH, TIME, FEATURES), 3), values((BATCH, UNITS), 4)
    got = f([xv, hv])

    def norm():
        K.set_value(u, uv)
        by_u, by_x, *_ = f([xv, hv])
        return (by_u**2).sum() + (by_x**2).sum()

    for gradient, difference in zip(got[2:], differences(norm, [uv, hv]), strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=1e-5, atol=1e-7)


def test_rnn_of_many_steps(each_backend):
    """More steps than an engine unrolls."""
    wv, uv = weights()
    xv, hv = values((2, 70, FEATURES), 3), values((2, UNITS), 4)
    x, h = place((None, 70, FEATURES)), place((None, UNITS))
    w, u = K.variable(wv, dtype="float64"), K.variable(uv, dtype="float64")
    _, outputs, states = K.rnn(step_of(w, u), x, [h])
    f = K.function([x, h], [outputs, *K.gradients(K.sum(outputs * outputs), [h, u])])
    got = f([xv, hv])
    np.testing.assert_allclose(got[0], reference(xv, hv, wv, uv)[0], rtol=1e-11)
    for gradient, difference in zip(
        got[1:], differences(lambda: (reference(xv, hv, wv, uv)[0] ** 2).sum(), [hv, uv]), strict=True
    ):
        np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-8)


def test_rnn_on_values_runs_at_once(each_backend):
    xv, hv = values((BATCH, TIME, FEATURES), 3), values((BATCH, UNITS), 4)
    wv, uv = weights()
    mask = np.arange(BATCH * TIME).reshape(BATCH, TIME) % 3 > 0
    last, outputs, (state,) = K.rnn(step_of(wv, uv), xv, [hv], mask=mask, go_backwards=True)
    expected, expected_state = reference(xv, hv, wv, uv, mask, go_backwards=True)
    assert not K.is_placeholder(outputs) and not hasattr(outputs, "node")
    np.testing.assert_allclose(K.eval(outputs), expected, rtol=1e-12)
    np.testing.assert_allclose(K.eval(last), expected[:, -1], rtol=1e-12)
    np.testing.assert_allclose(K.eval(state), expected_state, rtol=1e-12)


def test_rnn_on_values_with_variables(each_backend):
    xv, hv = values((BATCH, TIME, FEATURES), 3), values((BATCH, UNITS), 4)
    wv, uv = weights()
    w, u = K.variable(wv), K.variable(uv)
    _, outputs, _ = K.rnn(step_of(w, u), xv.astype("float32"), [hv.astype("float32")])
    # some outputs are near 0, as sums of terms near 1 that float32 rounds by 6e-8 each
    np.testing.assert_allclose(K.eval(outputs), reference(xv, hv, wv, uv)[0], rtol=1e-5, atol=1e-6)
    K.set_value(w, wv * 2)
    np.testing.assert_allclose(K.eval(outputs), reference(xv, hv, wv * 2, uv)[0], rtol=1e-5, atol=1e-6)


def test_mask_without_a_state_of_the_shape_of_the_output(each_backend):
    x, mask = place((None, 3, 2)), K.placeholder((None, 3), dtype="bool")
    _, outputs, states = K.rnn(lambda x, s: (K.sum(x, axis=-1, keepdims=True), []), x, [], mask=mask)
    assert states == []
    xv, maskv = values((2, 3, 2)), np.array([[0, 1, 0], [1, 0, 1]], bool)
    sums = xv.sum(-1)
    expected = [[0, sums[0, 1], sums[0, 1]], [sums[1, 0], sums[1, 0], sums[1, 2]]]
    np.testing.assert_allclose(K.function([x, mask], [outputs])([xv, maskv])[0][..., 0], expected)


def test_mask_of_rank_three_and_output_of_rank_three(each_backend):
    x, mask = place((None, 3, 2, 2)), K.placeholder((None, 3, 1), dtype="bool")
    h = place((None, 2, 2))
    _, outputs, _ = K.rnn(lambda x, s: (x + s[0], [x + s[0]]), x, [h], mask=K.reshape(mask, (-1, 3)))
    _, same, _ = K.rnn(lambda x, s: (x + s[0], [x + s[0]]), x, [h], mask=mask)
    xv, maskv = values((2, 3, 2, 2)), np.array([[[0], [1], [1]], [[1], [0], [1]]], bool)
    a, b = K.function([x, h, mask], [outputs, same])([xv, np.zeros((2, 2, 2)), maskv])
    np.testing.assert_array_equal(a, b)
    expected = np.stack([np.zeros((2, 2)), xv[0, 1], xv[0, 1] + xv[0, 2]])
    np.testing.assert_allclose(a[0], expected)


def test_rnn_without_steps(each_backend):
    x, h = place((None, None, FEATURES)), place((None, UNITS))
    wv, uv = weights()
    _, outputs, (state,) = K.rnn(
        step_of(K.constant(wv, dtype="float64"), K.constant(uv, dtype="float64")), x, [h]
    )
    f = K.function([x, h], [outputs, state])
    got = f([np.zeros((BATCH, 0, FEATURES)), values((BATCH, UNITS))])
    assert got[0].shape == (BATCH, 0, UNITS)
    np.testing.assert_array_equal(got[1], values((BATCH, UNITS)))


def test_rnn_refuses():
    x, h = place((None, None, 3)), place((None, 3))

    def step(x, s):
        return x, [x]

    with pytest.raises(ValueError, match="unroll=True needs"):
        K.rnn(step, x, [h], unroll=True)
    with pytest.raises(ValueError, match="features"):
        K.rnn(step, place((None, 3)), [h])
    with pytest.raises(ValueError, match=r"mask has the shape .*, the inputs have"):
        K.rnn(step, place((None, 5, 3)), [h], mask=place((None, 4)))
    with pytest.raises(ValueError, match="returned 0 states, it was given 1"):
        K.rnn(lambda x, s: (x, []), x, [h])
    with pytest.raises(TypeError, match="state 0 is float32 at the start and float64"):
        K.rnn(step, x, [K.placeholder((None, 3))])
    with pytest.raises(ValueError, match=r"K.update inside a loop"):
        v = K.variable(0.0, dtype="float64")
        K.rnn(lambda x, s: (K.update(v, K.sum(x)) + x, [x]), x, [h])


# --------------------------------------------------------------------------------------------- bodies


def test_loop_in_a_loop(each_backend):
    """Rows of sums of sums, with a tensor of the outermost program in the innermost body."""
    x, w = place((None, None)), K.variable(2.0, dtype="float64")
    offset = K.exp(w)

    def outer(total, row):
        return total + K.foldl(lambda a, e: a * w + e + offset, row, initializer=total)

    y = K.foldl(outer, x, initializer=K.constant(1.0, dtype="float64"))
    xv = values((3, 4))

    def expected(w):
        total = 1.0
        for row in xv:
            a = total
            for e in row:
                a = a * w + e + np.exp(w)
            total = total + a
        return total

    f = K.function([x], [y, *K.gradients(y, [w])])
    got = f([xv])
    np.testing.assert_allclose(got[0], expected(2.0), rtol=1e-12)
    np.testing.assert_allclose(got[1], (expected(2 + 1e-6) - expected(2 - 1e-6)) / 2e-6, rtol=1e-7)


def test_gradient_inside_a_step(each_backend):
    """Gradient descent as a recurrence; the step differentiates by its own state and by a variable."""
    x, target = place((None, 3, 2)), place((None, 2))
    w = K.variable([0.5, -0.3], dtype="float64")

    def step(x, states):
        h = states[0]
        loss = K.sum(K.square(h * w + x - target))
        by_h, by_w = K.gradients(loss, [h, w])
        return h * by_w, [h - 0.1 * by_h]

    h0 = place((None, 2))
    _, outputs, (last,) = K.rnn(step, x, [h0])
    total = K.sum(outputs) + K.sum(last * last)
    f = K.function([x, target, h0], [outputs, last])
    g = K.function([x, target, h0], K.gradients(total, [w, h0, x]))
    wv = np.array([0.5, -0.3])
    xv, tv, hv = values((2, 3, 2)), values((2, 2), 1), values((2, 2), 2)

    def expected():
        h, outputs = hv, []
        for t in range(3):
            error = 2 * (h * wv + xv[:, t] - tv)
            outputs.append(h * (error * h).sum(0))
            h = h - 0.1 * error * wv
        return np.stack(outputs, 1), h

    got = f([xv, tv, hv])
    np.testing.assert_allclose(got[0], expected()[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], expected()[1], rtol=1e-12)

    def total_value():
        outputs, last = expected()
        return outputs.sum() + (last**2).sum()

    for gradient, difference in zip(g([xv, tv, hv]), differences(total_value, [wv, hv, xv]), strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-8)


def test_phase_inside_a_step(each_backend):
    """What only the other phase needs is not computed for the loop either."""
    from kbackend.plugin.select import active_target

    x, h, only_training = place((None, 3, 1)), place((None, 1)), place((None, 1))
    noise = K.exp(only_training)

    def step(x, states):
        y = K.in_train_phase(lambda: x + noise, lambda: x) + states[0]
        return y, [y]

    _, outputs, _ = K.rnn(step, x, [h])
    f = K.function([x, h, only_training, K.learning_phase()], [outputs])
    feeds = [np.ones((1, 3, 1)), np.zeros((1, 1)), np.zeros((1, 1))]
    assert f([*feeds, 1])[0].ravel().tolist() == [2, 4, 6]
    assert f([*feeds, 0])[0].ravel().tolist() == [1, 2, 3]
    assert ["exp(" in f.program(active_target(), phase).source for phase in (0, 1)] == [False, True]


def test_draws_differ_from_step_to_step_and_agree_between_engines(each_backend):
    import kbackend

    def masks():
        K.set_seed(3)
        x = K.constant(np.ones((2, 40, 3)))
        _, outputs, _ = K.rnn(lambda x, s: (K.dropout(x, 0.5), []), x, [])
        return K.function([], [outputs])

    f = masks()
    first, second = f([])[0], f([])[0]
    assert set(np.unique(first)) == {0.0, 2.0}
    steps = {first[:, t].tobytes() for t in range(40)}
    assert len(steps) > 25
    assert not np.array_equal(first, second)
    with kbackend.use_backend("numpy"):
        g = masks()
        np.testing.assert_array_equal(g([])[0], first)
        np.testing.assert_array_equal(g([])[0], second)


def test_state_whose_shape_is_loosened(each_backend):
    x = place((None, 4, 2))
    _, outputs, (last,) = K.rnn(
        lambda x, s: (x + s[0], [x + s[0]]), x, [K.constant([[1.0, 2.0]], dtype="float64")]
    )
    xv = values((3, 4, 2))
    got = K.function([x], [outputs, last])([xv])
    np.testing.assert_allclose(got[0], np.cumsum(xv, 1) + [1, 2])
    assert last.shape == (None, 2)


def test_result_of_a_loop_shares_no_memory_with_a_variable(each_backend):
    v = K.variable([1.0, 2.0])
    state = K.foldl(lambda a, e: a, K.constant([1.0, 2.0, 3.0]), initializer=v)
    result = K.function([], [state])([])[0]
    result[:] = 7
    assert K.get_value(v).tolist() == [1, 2]


def test_source_shows_the_body(each_backend):
    source = K.function([], [K.foldl(lambda a, e: a * e, K.constant([2.0, 3.0]))]).source
    assert "def scan_body_1(" in source and "multiply(" in source


# --------------------------------------------------------------------------------------------- maps and folds


def test_map_fn(each_backend):
    x, y = place((None, 3)), place((None, 3))
    single = K.map_fn(lambda row: K.sum(row * row), x)
    several = K.map_fn(lambda rows: [rows[0] + rows[1], K.sum(rows[1])], [x, y])
    whole = K.map_fn(lambda row: K.sum(row), x, dtype="int32")
    f = K.function([x, y], [single, *several, whole, *K.gradients(K.sum(single * single), [x])])
    xv, yv = values((4, 3)) * 10, values((4, 3), 1)
    got = f([xv, yv])
    squares = (xv**2).sum(1)
    np.testing.assert_allclose(got[0], squares)
    np.testing.assert_allclose(got[1], xv + yv)
    np.testing.assert_allclose(got[2], yv.sum(1))
    assert got[3].dtype == np.int32 and got[3].tolist() == xv.sum(1).astype(int).tolist()
    np.testing.assert_allclose(got[4], 4 * squares[:, None] * xv)


def test_folds(each_backend):
    x = place((None, 2))
    left = K.foldl(lambda a, e: a * 2 + e, x)
    right = K.foldr(lambda a, e: a * 2 + e, x)
    started = K.foldl(lambda a, e: a * 2 + e, x, initializer=K.constant([1.0, 1.0], dtype="float64"))
    got = K.function([x], [left, right, started])([[[1, 2], [3, 4], [5, 6]]])
    assert got[0].tolist() == [1 * 4 + 3 * 2 + 5, 2 * 4 + 4 * 2 + 6]
    assert got[1].tolist() == [5 * 4 + 3 * 2 + 1, 6 * 4 + 4 * 2 + 2]
    assert got[2].tolist() == [8 + 4 + 6 + 5, 8 + 8 + 8 + 6]


def test_fold_of_one_element(each_backend):
    assert K.eval(K.foldl(lambda a, e: a + e, K.constant([[7.0, 8.0]]))).tolist() == [7, 8]


@pytest.mark.parametrize("time", [0, None], ids=["known", "unknown"])
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_no_time_step(each_backend, time, masked):
    """Outputs without elements, states as they were, a last output of zeros, and gradients to the states alone."""
    x, state, mask = place((None, time, FEATURES)), place((None, UNITS)), K.placeholder((None, time), dtype="bool")
    w = K.variable(values((FEATURES, UNITS)), dtype="float64")

    def step(z, states):
        new = K.tanh(K.dot(z, w) + states[0])
        return new, [new]

    last, outputs, (end,) = K.rnn(step, x, [state], mask=mask if masked else None)
    by_state, by_w = K.gradients(K.sum(outputs) + K.sum(last) + K.sum(end * end), [state, w])
    run = K.function([x, state, mask], [last, outputs, end, by_state, by_w])
    start = values((BATCH, UNITS))
    found = run([np.zeros((BATCH, 0, FEATURES)), start, np.zeros((BATCH, 0), bool)])
    assert found[0].tolist() == np.zeros((BATCH, UNITS)).tolist()
    assert found[1].shape == (BATCH, 0, UNITS)
    assert found[2].tolist() == start.tolist()
    assert found[3].tolist() == (2 * start).tolist()
    assert found[4].tolist() == np.zeros((FEATURES, UNITS)).tolist()


def test_rows_of_nothing(each_backend):
    """Over (None, 0): a state of size 0 is known, and the number of steps is not."""
    rows = K.placeholder((None, 0))
    folded = K.foldl(lambda total, row: total * 0.5 + row, rows)
    mapped = K.map_fn(lambda row: row * 2, rows)
    sums = K.map_fn(lambda row: K.sum(row), rows)
    (slope,) = K.gradients(K.sum(folded) + K.sum(mapped) + K.sum(sums), [rows])
    found = K.function([rows], [folded, mapped, sums, slope])([np.zeros((3, 0))])
    assert [f.shape for f in found] == [(0,), (3, 0), (3,), (3, 0)]
    assert found[2].tolist() == [0.0, 0.0, 0.0]
