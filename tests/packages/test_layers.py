"""What layers of packages written for Keras 2 do that no layer here does."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, layers
from kbackend.models import load_model


class Copies(layers.Wrapper):
    """Several copies of a layer, which is itself only their pattern: its weights are in no list."""

    def __init__(self, layer, count, **kwargs):
        super().__init__(layer, **kwargs)
        self.count, self.layers = count, []

    def build(self, input_shape):
        self.layer.build(input_shape)
        for i in range(self.count):
            config = {**self.layer.get_config(), "name": f"copy_{i}"}
            self.layers.append(type(self.layer).from_config(config))
            self.layers[-1].build(input_shape)
        self.scale = self.add_weight("scale", (1,), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return K.concatenate([layer.call(inputs) for layer in self.layers]) * self.scale

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.layer.units * self.count)

    @property
    def trainable_weights(self):
        return self._trainable_weights + [w for layer in self.layers for w in layer.trainable_weights]

    @property
    def non_trainable_weights(self):
        return self._non_trainable_weights + [w for layer in self.layers for w in layer.non_trainable_weights]


def test_weights_that_a_property_does_not_list_are_none_of_the_layer(each_backend):
    x = Input((3,))
    layer = Copies(layers.Dense(2), 2)
    model = Model(x, layer(x))
    assert [tuple(w.shape) for w in model.trainable_weights] == [(1,), (3, 2), (2,), (3, 2), (2,)]
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 4)))
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_failed_build_leaves_no_weights_in_the_lists():
    class Failing(layers.Layer):
        fail = True

        def build(self, input_shape):
            self.add_weight("w", (2,))
            if self.fail:
                raise ValueError("not yet")
            super().build(input_shape)

        def call(self, inputs):
            return inputs

    layer = Failing()
    with pytest.raises(ValueError, match="not yet"):
        layer(Input((2,)))
    assert layer.weights == layer._trainable_weights == []
    layer.fail = False
    layer(Input((2,)))
    assert len(layer.weights) == len(layer._trainable_weights) == 1


class Halves(layers.Layer):
    supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return [[mask, None], mask]

    def call(self, inputs, mask=None):
        return [inputs, inputs * 2, inputs * 3]


def test_masks_in_lists_of_lists_belong_to_the_outputs_in_order():
    embedded = layers.Embedding(4, 2, mask_zero=True)(Input((3,)))
    outputs = Halves()(embedded)
    masks = [t._keras_mask for t in outputs]
    assert masks[0] is masks[2] is not None and masks[1] is None


class Doubled(layers.Layer):
    """A layer whose configuration holds another one, which it reads itself."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def build(self, input_shape):
        self.gain = self.add_weight("gain", (1,), initializer="uniform")
        super().build(input_shape)

    def call(self, inputs):
        return self.inner(inputs) * 2 * self.gain

    def get_config(self):
        inner = {"class_name": type(self.inner).__name__, "config": self.inner.get_config()}
        return {**super().get_config(), "inner": [inner]}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        assert custom_objects is not None and "Doubled" in custom_objects
        config = dict(config)
        (inner,) = config.pop("inner")
        return cls(layers.deserialize(inner, custom_objects=custom_objects), **config)


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_layers_of_ones_own_are_in_files_of_keras(ending, tmp_path):
    pytest.importorskip("h5py")
    x = Input((3,), name="x")
    model = Model(x, Doubled(layers.Dense(2, kernel_initializer="he_normal"), name="doubled")(x))
    model.save(tmp_path / f"m.{ending}")
    again = load_model(tmp_path / f"m.{ending}", custom_objects={"Doubled": Doubled})
    data = np.random.default_rng(1).normal(size=(4, 3))
    np.testing.assert_allclose(again.predict(data), model.predict(data), rtol=1e-6)
    with pytest.raises(ValueError, match="Doubled"):
        load_model(tmp_path / f"m.{ending}")
