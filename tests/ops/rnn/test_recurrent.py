"""LSTM, GRU and the simple recurrent layer as single ops, against the recurrence written out."""

import numpy as np
import pytest
from support.arrays import values
from support.differences import differences

from kbackend import K

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 2


def place(shape):
    return K.placeholder(shape, dtype="float64")


# --------------------------------------------------------------------------------------------- recurrent ops


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_reference(x, h, c, kernel, recurrent, bias, act=np.tanh, gate=sigmoid):
    outputs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, -1)
        c = gate(f) * c + gate(i) * act(g)
        h = gate(o) * act(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def gru_reference(x, h, kernel, recurrent, bias, reset_after=True, act=np.tanh, gate=sigmoid):
    outputs, units = [], h.shape[1]
    for t in range(x.shape[1]):
        if reset_after:
            zx, rx, gx = np.split(x[:, t] @ kernel + bias[0], 3, -1)
            zh, rh, gh = np.split(h @ recurrent + bias[1], 3, -1)
            z, r = gate(zx + zh), gate(rx + rh)
            new = act(gx + r * gh)
        else:
            zx, rx, gx = np.split(x[:, t] @ kernel + bias, 3, -1)
            z = gate(zx + h @ recurrent[:, :units])
            r = gate(rx + h @ recurrent[:, units : 2 * units])
            new = act(gx + (r * h) @ recurrent[:, 2 * units :])
        h = z * h + (1 - z) * new
        outputs.append(h)
    return np.stack(outputs, 1), h


def simple_reference(x, h, kernel, recurrent, bias, act=np.tanh):
    outputs = []
    for t in range(x.shape[1]):
        h = act(x[:, t] @ kernel + h @ recurrent + bias)
        outputs.append(h)
    return np.stack(outputs, 1), h


KINDS = {"lstm": (4, 2, lstm_reference), "gru": (3, 1, gru_reference), "simple_rnn": (1, 1, simple_reference)}


def recurrent_arrays(kind, options):
    gates, states, reference = KINDS[kind]
    bias = (2, 3 * UNITS) if kind == "gru" and options.get("reset_after", True) else (gates * UNITS,)
    arrays = [values((BATCH, TIME, FEATURES), 1)]
    arrays += [values((BATCH, UNITS), 2 + i) for i in range(states)]
    return arrays + [
        values((FEATURES, gates * UNITS), 5),
        values((UNITS, gates * UNITS), 6),
        values(bias, 7),
    ], reference


def doubled(x):
    return x * 2


@pytest.mark.parametrize("time", [TIME, None], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("lstm", {}),
        ("lstm", {"activation": "relu", "recurrent_activation": "hard_sigmoid"}),
        ("lstm", {"unroll": True}),
        ("gru", {}),
        ("gru", {"reset_after": False}),
        ("simple_rnn", {}),
        ("simple_rnn", {"activation": "relu"}),
        ("simple_rnn", {"activation": doubled}),
    ],
    ids=lambda value: str(value).replace(f"<function doubled at {id(doubled):#x}>", "doubled"),
)
def test_recurrent_ops(each_backend, kind, options, time):
    arrays, reference = recurrent_arrays(kind, options)
    functions = {"relu": lambda x: np.maximum(x, 0), "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1)}
    named = {"activation": "act", "recurrent_activation": "gate"}
    theirs = {
        named.get(k, k): functions.get(v, v) if isinstance(v, str) else v
        for k, v in options.items()
        if k != "unroll"
    }
    places = [place((None, time, FEATURES)), *(place(a.shape) for a in arrays[1:])]
    results = getattr(K, kind)(*places, **options)
    loss = sum(K.sum(r * r) for r in results)
    got = K.function(places, [*results, *K.gradients(loss, places)])(arrays)
    expected = reference(*arrays, **theirs)
    for result, wanted in zip(got, expected):
        np.testing.assert_allclose(result, wanted, rtol=1e-10, atol=1e-12)
    wanted = differences(lambda: sum((r**2).sum() for r in reference(*arrays, **theirs)), arrays)
    for gradient, difference in zip(got[len(expected) :], wanted, strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_fused_kernels_equal_the_loop(each_backend, kind):
    """Absent states, backwards: the kernels against K.rnn, second order too."""
    arrays, _ = recurrent_arrays(kind, {})
    states = KINDS[kind][1]
    x, kernel, recurrent, bias = (place(a.shape) for a in (arrays[0], *arrays[1 + states :]))
    feeds = [arrays[0], *arrays[1 + states :]]
    operands = (x, *[None] * states, kernel, recurrent, bias)
    fused = getattr(K, kind)(*operands, go_backwards=True)
    loop = getattr(K, kind)(*operands, go_backwards=True, activation=lambda z: K.tanh(z))
    both = []
    for results in (fused, loop):
        loss = sum(K.sum(r * r) for r in results)
        first = K.gradients(loss, [x, kernel, recurrent, bias])
        second = K.gradients(sum(K.sum(g * g) for g in first), [x, kernel, recurrent, bias])
        both.append([*results, *first, *second])
    f, g = (K.function([x, kernel, recurrent, bias], tensors) for tensors in both)
    assert f"= {kind}(" in f.source or each_backend == "numpy" and kind != "lstm"
    for a, b in zip(f(feeds), g(feeds), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_ops_on_values(each_backend, kind):
    arrays, reference = recurrent_arrays(kind, {})
    for result, wanted in zip(getattr(K, kind)(*arrays), reference(*arrays), strict=True):
        np.testing.assert_allclose(K.eval(result), wanted, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_ops_with_a_mask(each_backend, kind):
    arrays, reference = recurrent_arrays(kind, {})
    maskv = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]])
    mask = K.placeholder((None, TIME), dtype="int32")
    places = [place(a.shape) for a in arrays]
    results = getattr(K, kind)(*places, mask)
    got = K.function([*places, mask], results)([*arrays, maskv])
    for i, length in enumerate(maskv.sum(1)):
        states = [a[i : i + 1] for a in arrays[1 : 1 + KINDS[kind][1]]]
        outputs, *last = reference(arrays[0][i : i + 1, :length], *states, *arrays[1 + KINDS[kind][1] :])
        padded = np.concatenate([outputs[0], np.repeat(outputs[0, -1:], TIME - length, 0)])
        np.testing.assert_allclose(got[0][i], padded, rtol=1e-10)
        for state, wanted in zip(got[1:], last, strict=True):
            np.testing.assert_allclose(state[i], wanted[0], rtol=1e-10)


def test_recurrent_ops_refuse(each_backend):
    x = place((None, TIME, FEATURES))
    kernel, recurrent = place((FEATURES, 4 * UNITS)), place((UNITS, 4 * UNITS))
    with pytest.raises(ValueError, match=r"kernel must have the shape \(4, 8\)"):
        K.lstm(x, None, None, place((FEATURES + 1, 4 * UNITS)), recurrent)
    with pytest.raises(ValueError, match="a state must have the shape"):
        K.lstm(x, place((None, UNITS + 1)), None, kernel, recurrent)
    with pytest.raises(ValueError, match="unknown activation 'nonsense'"):
        K.lstm(x, None, None, kernel, recurrent, activation="nonsense")
    with pytest.raises(TypeError, match="float"):
        K.simple_rnn(
            K.placeholder((None, 3, 2), dtype="int32"),
            None,
            K.placeholder((2, 2), dtype="int32"),
            K.placeholder((2, 2), dtype="int32"),
        )


@pytest.mark.parametrize(("op", "gates", "states"), [("lstm", 4, 2), ("gru", 3, 1), ("simple_rnn", 1, 1)])
@pytest.mark.parametrize("batch", [0, 2, 5, 8])
def test_states_of_another_batch_that_is_known_when_run(each_backend, op, gates, states, batch):
    """Torch's own kernel reads past the memory of such a state."""
    x, given = K.placeholder((None, TIME, FEATURES)), [K.placeholder((None, UNITS)) for _ in range(states)]
    shape = (2, gates * UNITS) if op == "gru" else (gates * UNITS,)
    weights = [K.variable(values(s)) for s in ((FEATURES, gates * UNITS), (UNITS, gates * UNITS), shape)]
    run = K.function([x, *given], list(getattr(K, op)(x, *given, *weights)))
    with pytest.raises(ValueError, match="state"):
        run([values((BATCH, TIME, FEATURES)), *[values((batch, UNITS))] * states])


@pytest.mark.parametrize(("kind", "gates", "count"), [("lstm", 4, 2), ("gru", 3, 1), ("simple_rnn", 1, 1)])
def test_a_mask_or_states_of_one_sample_are_those_of_all(kind, gates, count, each_backend):
    x, h, mask = place((None, 3, 2)), place((None, 2)), K.placeholder((None, 3), dtype="bool")
    rng, steps = np.random.default_rng(5), getattr(K, kind)
    weights = [K.constant(rng.normal(size=(2, gates * 2)), dtype="float64") for _ in range(2)]
    row = K.constant([[True, False, True]])
    outputs = [*steps(x, *[h] * count, *weights, None, mask), *steps(x, *[None] * count, *weights, None, row)]
    function = K.function([x, h, mask], [*outputs, *steps(x, *[None] * count, *weights, None, mask)])
    values, one = rng.normal(size=(4, 3, 2)), rng.normal(size=(1, 2))
    same = np.repeat([[True, False, True]], 4, 0)
    found = function([values, one, same])
    split = len(found) // 3
    for got, wanted in zip(found[:split], function([values, np.repeat(one, 4, 0), same])):
        np.testing.assert_allclose(got, wanted, rtol=1e-10)
    for got, wanted in zip(found[split : 2 * split], found[2 * split :]):
        np.testing.assert_allclose(got, wanted, rtol=1e-10)
