"""BatchNormalization in the bodies of loops and branches: frozen it uses its averages, else loops refuse to train."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers

pytestmark = pytest.mark.usefixtures("engine")
DATA = (np.random.default_rng(0).normal(2.0, 3.0, (5, 4, 3))).astype("float32")

BODIES = {
    "branch": lambda norm, x: K.switch(K.sum(x) > -1e9, lambda: norm(x[:, 0]), lambda: x[:, 0]),
    "map_fn": lambda norm, x: K.map_fn(norm, x),
    "rnn": lambda norm, x: K.rnn(lambda row, s: (norm(row) + s[0], [norm(row) + s[0]]), x, [K.zeros_like(x[:, 0])])[0],
    "foldl": lambda norm, x: x + K.foldl(lambda total, row: total + norm(row), x, K.zeros_like(x[0])),
    "while_loop": lambda norm, x: K.while_loop(
        lambda i, a: i < 2, lambda i, a: (i + 1, norm(a)), [K.constant(0, dtype="int32"), x[:, 0]]
    )[1],
    "loop in a branch": lambda norm, x: K.switch(K.sum(x) > -1e9, lambda: K.map_fn(norm, x), lambda: x),
    "always training": lambda norm, x: K.map_fn(lambda row: norm(row, training=True), x),
}
LOOPS = [name for name in BODIES if name != "branch"]


class Around(layers.Layer):
    def __init__(self, norm, body, **kwargs):
        super().__init__(**kwargs)
        self.norm, self.body = norm, body

    def build(self, input_shape):
        self.norm.build((None, 3))
        self.norm.built = True
        super().build(input_shape)

    def call(self, inputs):
        return self.body(self.norm, inputs)


def made(name):
    norm = layers.BatchNormalization(name="norm")
    x = Input(batch_shape=(5, 4, 3))
    model = Model(x, Around(norm, BODIES[name])(x))
    norm.set_weights([*norm.get_weights()[:2], np.full(3, 2.0, "float32"), np.full(3, 9.0, "float32")])
    return model, norm


@pytest.mark.parametrize("name", BODIES)
def test_frozen_uses_its_averages(each_backend, name):
    model, norm = made(name)
    norm.trainable = False
    model.compile("sgd", "mse")
    scores = (DATA - 2.0) / np.sqrt(9.0 + norm.epsilon)
    expected = {
        "branch": scores[:, 0], "rnn": scores.sum(1), "foldl": DATA + scores.sum(0),
        "while_loop": (scores[:, 0] - 2.0) / np.sqrt(9.0 + norm.epsilon),
    }.get(name, scores)  # fmt: skip
    start = norm.get_weights()
    if name != "always training":
        np.testing.assert_allclose(model.predict(DATA, batch_size=5), expected, rtol=1e-4, atol=1e-5)
    loss = model.train_on_batch(DATA, np.zeros_like(expected))
    assert loss == pytest.approx(float(np.mean(expected**2)), rel=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(start, norm.get_weights()))


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_refuses_to_train_what_would_update_in_it(name):
    model, norm = made(name)
    model.compile("sgd", "mse")
    message = r"model \w+ cannot be trained: the updates of \w+/moving_mean, \w+/moving_variance.* outside of the"
    targets = model.predict(DATA, batch_size=5)
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(DATA, targets)
    norm.trainable = False
    model.compile("sgd", "mse")
    model.train_on_batch(DATA, targets)


def test_a_branch_trains_by_the_batch():
    model, norm = made("branch")
    model.compile("sgd", "mse")
    start = norm.get_weights()
    scores = (DATA - DATA.mean(0)) / np.sqrt(DATA.var(0) + norm.epsilon)
    loss = model.train_on_batch(DATA, np.zeros((5, 3), "float32"))
    assert loss == pytest.approx(float(np.mean(scores[:, 0] ** 2)), rel=1e-4)
    assert not np.array_equal(start[2], norm.get_weights()[2])
