"""PyTorch's fused recurrences of masked steps, against K.rnn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kbackend
from kbackend import Input, K, Model, layers

pytestmark = [pytest.mark.engine("torch"), pytest.mark.processor]

FEATURES, UNITS = 3, 2


@pytest.fixture(autouse=True, scope="module")
def on_torch():
    with kbackend.use_backend("torch"):
        yield


GATES = {"lstm": (4, 2), "gru": (3, 1), "simple_rnn": (1, 1)}
TOLERANCE = {"float64": 1e-11, "float32": 1e-4}


def programs(kind, dtype, go_backwards, starts):
    """Results, gradients and second gradients by the fused kernel and by the loop, which another function than K.tanh
    gets."""
    gates, count = GATES[kind]
    x, mask = K.placeholder((None, None, FEATURES), dtype=dtype), K.placeholder((None, None), dtype="bool")
    states = [K.placeholder((None, UNITS), dtype=dtype) for _ in range(count if starts else 0)]
    wide = gates * UNITS
    shapes = [(FEATURES, wide), (UNITS, wide), (2, wide) if kind == "gru" else (wide,)]
    weights = [K.placeholder(s, dtype=dtype) for s in shapes]
    feeds = [x, *states, *weights]
    made = []
    for options in ({}, {"activation": lambda z: K.tanh(z)}):
        found = getattr(K, kind)(x, *(states or [None] * count), *weights, mask, go_backwards=go_backwards, **options)
        first = K.gradients(sum(K.sum(K.sin(3 * r)) for r in found), feeds)
        second = K.gradients(sum(K.sum(K.sin(g)) for g in first), feeds)
        made.append(K.function([mask, *feeds], [*found, *first, *second]))
    fused, loop = made
    assert f"= masked_{kind}" in fused.source and "scan(" in loop.source
    return fused, loop, [f.shape for f in feeds]


@pytest.fixture(scope="module")
def kept():
    return {}


@st.composite
def masks(draw):
    samples, steps = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    lengths = np.array(draw(st.lists(st.integers(0, steps), min_size=samples, max_size=samples)))
    if draw(st.booleans()):
        lengths[:] = lengths[0]
    leading = np.arange(steps) < lengths[:, None]
    way = draw(st.sampled_from(("leading", "trailing", "holes")))
    holes = np.array(draw(st.lists(st.booleans(), min_size=samples * steps, max_size=samples * steps)))
    return {"leading": leading, "trailing": leading[:, ::-1], "holes": holes.reshape(samples, steps)}[way]


@pytest.mark.parametrize(("kind", "dtype"), [*((k, "float64") for k in GATES), ("lstm", "float32")])
@settings(max_examples=30, deadline=None, derandomize=True)
@given(mask=masks(), go_backwards=st.booleans(), starts=st.booleans())
def test_any_mask(kept, kind, dtype, mask, go_backwards, starts):
    key = kind, dtype, go_backwards, starts
    if key not in kept:
        kept[key] = programs(*key)
    fused, loop, shapes = kept[key]
    random = np.random.RandomState(0)
    batch = {0: mask.shape[0], 1: mask.shape[1]}
    sizes = [tuple(batch[a] if n is None else n for a, n in enumerate(s)) for s in shapes]
    feeds = [mask, *(random.uniform(-1, 1, s) for s in sizes)]
    for a, b in zip(fused(feeds), loop(feeds), strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= TOLERANCE[dtype] * max(1, np.abs(b).max())


def test_filling_that_is_not_finite():
    """It leaves outputs and states alone, as in the loop."""
    x = np.ones((2, 4, FEATURES), np.float32)
    mask = np.array([[1, 1, 1, 0], [1, 0, 0, 0]])
    x[mask == 0] = np.nan
    wide = 4 * UNITS
    found = K.lstm(x, None, None, np.ones((FEATURES, wide)), np.ones((UNITS, wide)), None, mask)
    assert all(np.isfinite(K.eval(r)).all() for r in found)


def test_a_mask_of_one_column_a_step_and_of_other_ranks():
    x = K.placeholder((2, 4, FEATURES))
    weights = [K.placeholder(s) for s in [(FEATURES, UNITS), (UNITS, UNITS)]]
    for shape, name in [((2, 4, 1), "masked_simple_rnn("), ((2, 4, UNITS), "scan("), ((1, 4), "scan(")]:
        mask = K.placeholder(shape)
        outputs, _ = K.simple_rnn(x, None, *weights, None, mask)
        assert name in K.function([x, mask, *weights], [outputs]).source


@pytest.fixture(scope="module")
def network():
    tokens = Input((5,), dtype="int32")
    x = layers.Embedding(7, 4, mask_zero=True)(tokens)
    x, state = layers.GRU(2, return_sequences=True, return_state=True, go_backwards=True)(x)
    x = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(layers.SimpleRNN(2, return_sequences=True)(
        x, initial_state=state))  # fmt: skip
    return Model(tokens, x), np.array([[1, 2, 3, 0, 0], [4, 0, 5, 6, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]], np.int32)


def test_a_file_of_its_own(network, tmp_path):
    import runpy

    model, tokens = network
    model.to("torch").export(str(tmp_path / "model.py"), engine="torch")
    written = runpy.run_path(str(tmp_path / "model.py"))
    for rows in (tokens, tokens[:1], tokens[2:3]):
        np.testing.assert_allclose(written["load"]().predict(rows), model.predict(rows), atol=1e-6)


def test_a_module_that_torch_traces(network):
    """The values of the mask are unknown then, and other ones follow."""
    import torch

    model, tokens = network
    module = model.to("torch").as_torch().eval()
    traced = torch.export.export(module, (torch.from_numpy(tokens),)).module()
    for rows in (tokens, np.ascontiguousarray(tokens[::-1])):
        np.testing.assert_allclose(traced(torch.from_numpy(rows)).detach().numpy(), model.predict(rows), atol=1e-6)
