"""A layer whose forward pass is a gradient. It holds an energy of its input and returns the slope of that energy, so
it can only produce fields without rotation; here it learns the force of a spring from samples."""

import numpy as np

import kbackend
from kbackend import Input, K, Model, layers, optimizers


class Slope(layers.Layer):
    """The gradient of ``sum(v * tanh(x w + b))`` with respect to ``x``."""

    def __init__(self, units: int, **options):
        super().__init__(**options)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight("w", (input_shape[-1], self.units), initializer="glorot_uniform")
        self.b = self.add_weight("b", (self.units,), initializer="zeros")
        self.v = self.add_weight("v", (self.units,), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, inputs):
        energy = K.sum(K.tanh(K.dot(inputs, self.w) + self.b) * self.v)
        return K.gradients(energy, [inputs])[0]


kbackend.set_seed(2)
places = np.random.default_rng(0).uniform(-1, 1, (256, 2))
forces = -places * [1.0, 0.5]

x = Input((2,))
model = Model(x, Slope(16)(x))
model.compile(optimizers.Adam(0.02), "mse")  # the train step differentiates the gradient once more

print(f"# {model.engine}")
before = model.evaluate(places, forces)
history = model.fit(places, forces, batch_size=64, epochs=20, verbose=0)
for epoch in (0, 4, 9, 19):
    print(f"epoch {epoch + 1:2}: loss {history.history['loss'][epoch]:.6f}")
after = model.evaluate(places, forces)
assert after < before / 20, (before, after)
