"""keras-tcn 3.5.7 in models of tensorflow.keras: a layer, a compiled network, a copy by its configuration.

run.py runs this file through the hook; the archive of keras-tcn has no tests.
"""

import numpy as np
import pytest
from tcn import TCN, compiled_tcn
from tensorflow.keras import Input, Model
from tensorflow.keras.layers import Dense

RNG = np.random.default_rng(0)


def test_a_layer_learns_to_add_two_numbers_that_marks_name():
    """The adding problem: two of the numbers of a series are marked, the target is their sum."""
    x = np.zeros((600, 20, 2), "float32")
    x[..., 0] = RNG.uniform(size=(600, 20))
    for row in x:
        row[RNG.choice(20, 2, replace=False), 1] = 1
    y = (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)
    given = Input(batch_shape=(None, 20, 2))
    layer = TCN(nb_filters=16, kernel_size=4, dilations=[1, 2, 4], return_sequences=False)
    model = Model(given, Dense(1)(layer(given)))
    model.compile("adam", "mse")
    assert layer.receptive_field == 1 + 2 * 3 * 7
    first = model.fit(x, y, epochs=25, batch_size=30, verbose=0).history["loss"]
    assert first[-1] < 0.25 * np.var(y)


@pytest.mark.parametrize("options", [
    {"return_sequences": True, "use_skip_connections": True}, {"padding": "same", "use_batch_norm": True},
    {"use_layer_norm": True, "dropout_rate": 0.2, "nb_stacks": 2}, {"use_skip_connections": False},
])
def test_networks_of_many_kinds(options):
    arguments = {"nb_filters": 5, "kernel_size": 2, "dilations": [1, 2], "nb_stacks": 1, "return_sequences": False}
    model = compiled_tcn(num_feat=1, num_classes=3, max_len=8, **{**arguments, **options})
    x = RNG.normal(size=(12, 8, 1)).astype("float32")
    shape = (12, 8, 1) if options.get("return_sequences") else (12, 1)
    losses = model.fit(x, RNG.integers(0, 3, shape), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and model.predict(x).shape == (*shape[:-1], 3)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) > 100


def test_a_copy_by_its_configuration_gives_the_same():
    given = Input((8, 2))
    model = Model(given, TCN(nb_filters=4, kernel_size=2, dilations=[1, 2], name="tcn")(given))
    copy = Model.from_config(model.get_config(), custom_objects={"TCN": TCN})
    x = RNG.normal(size=(3, 8, 2)).astype("float32")
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(x), model.predict(x), atol=1e-6)
    zero = x.copy()
    zero[:, -1] += 1  # causal: only the last step sees the last number
    parts = Model(given, TCN(4, 2, dilations=[1, 2], return_sequences=True)(given))
    np.testing.assert_allclose(parts.predict(x)[:, :-1], parts.predict(zero)[:, :-1], atol=1e-6)
