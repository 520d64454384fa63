"""What programs of Keras 2 do to models and optimizers, and names that they import, under the hook."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import compat


@pytest.fixture(scope="module")
def keras():
    compat.install()
    try:
        import keras

        yield keras
    finally:
        compat.uninstall()


@pytest.fixture
def chain(keras):
    x = keras.layers.Input((6,))
    hidden = keras.layers.Dense(5, name="hidden")(x)
    return keras.models.Model(x, keras.layers.Dense(3, name="top")(hidden))


def test_layers_are_a_list_that_can_be_changed(keras, chain):
    chain.layers.pop()
    assert len(chain.layers[-1].outbound_nodes) == 1
    chain.layers[-1].outbound_nodes = []
    assert chain.layers[-1]._outbound_nodes == []
    assert [layer.name for layer in chain.layers][1:] == ["hidden"]
    assert chain.output_shape == (None, 3)  # the graph stays
    top = keras.layers.Dense(2, name="new")(chain.layers[-1].output)
    assert [layer.name for layer in keras.models.Model(chain.input, top).layers][1:] == ["hidden", "new"]


def test_outputs_can_be_set(chain):
    data = np.ones((2, 6))
    chain.predict(data)
    kernel, bias = chain.get_layer("hidden").get_weights()
    chain.outputs = [chain.layers[-2].output]
    assert chain.output_shape == (None, 5) and [layer.name for layer in chain.layers][1:] == ["hidden"]
    np.testing.assert_allclose(chain.predict(data), data @ kernel + bias, rtol=1e-5)


def test_acc_of_an_output_is_its_accuracy(keras, tmp_path):
    x = keras.layers.Input((2,))
    two = [keras.layers.Dense(1, activation="sigmoid", name=name)(x) for name in ("a", "b")]
    model = keras.models.Model(x, two)
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    data, y = np.ones((4, 2)), np.ones((4, 1))
    file = str(tmp_path / "w.{epoch}-{val_a_acc:.1f}.h5")
    checkpoint = keras.callbacks.ModelCheckpoint(file, monitor="val_b_acc", save_best_only=True, save_weights_only=True)
    found = model.fit(data, [y, y], epochs=1, verbose=0, validation_data=(data, [y, y]), callbacks=[checkpoint])
    assert found.history["a_acc"] == found.history["a_accuracy"] and "val_b_acc" in found.history
    assert "acc" not in found.history and len(list(tmp_path.iterdir())) == 1


def test_configurations_of_own_optimizers_have_what_keras_2_has(keras, tmp_path):
    K = keras.backend

    class Plain(keras.optimizers.Optimizer):
        def __init__(self, lr=0.1, weight_decay=0.5, **kwargs):
            super().__init__(**kwargs)
            self.lr, self.decayed = K.variable(lr), K.variable(weight_decay)

        def get_updates(self, loss, params):
            gradients = self.get_gradients(loss, params)
            self.updates = [K.update(p, p - self.lr * g) for p, g in zip(params, gradients, strict=True)]
            return self.updates

        def get_config(self):
            return {**super().get_config(), "lr": float(K.get_value(self.lr))}

    assert Plain(clipnorm=2.0).get_config() == {"clipnorm": 2.0, "lr": pytest.approx(0.1)}
    model = keras.models.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile(Plain(lr=0.25), "mse")
    pytest.importorskip("h5py")
    model.save(str(tmp_path / "m.h5"))
    again = keras.models.load_model(str(tmp_path / "m.h5"), custom_objects={"Plain": Plain})
    assert isinstance(again.optimizer, Plain) and K.get_value(again.optimizer.lr) == 0.25

    class Mine(keras.optimizers.Adam):
        pass

    assert Mine(lr=0.5).get_config()["learning_rate"] == 0.5


def test_private_methods_and_old_arguments(keras, chain):
    K = keras.backend
    model = keras.models.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile("adam", "mse")
    data, y = np.ones((4, 2)), np.ones((4, 1))
    model.train_on_batch(data, y)
    state = K.batch_get_value(model.optimizer.weights)
    again = keras.models.clone_model(model)
    again.compile("adam", "mse")
    again._make_predict_function()
    again._make_train_function()
    again.optimizer.set_weights(state)
    again.set_weights(model.get_weights())
    losses = [m.train_on_batch(data, y) for m in (model, again)]
    np.testing.assert_allclose(model.get_weights()[0], again.get_weights()[0], rtol=1e-6)
    assert losses[0] == pytest.approx(losses[1]) and model.model is model
    assert len(model._collected_trainable_weights) == 2
    with pytest.raises(TypeError, match="show_accuracy= went in Keras 1; write metrics="):
        model.fit(data, y, show_accuracy=True)
    with pytest.raises(TypeError, match="class_mode= went in Keras 1; leave it out"):
        model.compile("adam", "mse", class_mode="binary")


def test_tensors_are_evaluated(keras):
    x = keras.backend.placeholder((None, 2))
    np.testing.assert_array_equal((x * 2).eval(feed_dict={x: np.ones((1, 2))}), [[2, 2]])
    assert keras.backend.variable(3.0).eval(session=None) == 3.0


@pytest.mark.parametrize(("path", "name", "words"), [
    ("keras.layers.recurrent", "_time_distributed_dense", "write K.dot"),
    ("keras.engine.base_layer", "_collect_previous_mask", "a private name of Keras 2"),
    ("keras.metrics", "precision", "write keras.metrics.Precision"),
    ("keras.applications.resnet50", "identity_block", "write the block with layers"),
    ("keras.utils", "test_utils", "compare model.predict"),
])  # fmt: skip
def test_names_that_are_not_covered_say_why(keras, path, name, words):
    with pytest.raises(ImportError, match=f"{path}.{name} is not covered by kbackend: .*{words}"):
        exec(f"from {path} import {name}", {})


def test_names_that_old_programs_import(keras):
    from keras.applications.imagenet_utils import _obtain_input_shape
    from keras.applications.mobilenet import DepthwiseConv2D, relu6
    from keras.engine.topology import _to_list
    from keras.utils.visualize_util import plot

    assert _obtain_input_shape(None, 96, 32, "channels_last", include_top=True) == (96, 96, 3)
    assert DepthwiseConv2D is keras.layers.DepthwiseConv2D and relu6.__name__ == "relu6"
    assert _to_list(3) == [3] and plot is keras.utils.plot_model
    with pytest.raises(ValueError, match="at least 32 by 32"):
        _obtain_input_shape((8, 8, 3), 96, 32, "channels_last", require_flatten=False)
