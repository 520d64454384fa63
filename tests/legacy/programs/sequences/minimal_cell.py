"""A recurrent cell of one's own inside RNN, alone, stacked, and from its configuration."""
import keras
import numpy as np
from keras import backend as K
from keras.layers import RNN, Dense, Input
from keras.models import Model
from keras.utils import CustomObjectScope

np.random.seed(17)


class MinimalRNNCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.state_size = units
        super(MinimalRNNCell, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer='uniform', name='kernel')
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), initializer='orthogonal',
                                                name='recurrent_kernel')
        self.built = True

    def call(self, inputs, states):
        prev_output = states[0]
        h = K.dot(inputs, self.kernel)
        output = K.tanh(h + K.dot(prev_output, self.recurrent_kernel))
        return output, [output]

    def get_config(self):
        config = {'units': self.units}
        base_config = super(MinimalRNNCell, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


x = np.random.rand(300, 6, 1)
y = x.sum(axis=1)
inputs = Input((None, 1))
model = Model(inputs, Dense(1)(RNN([MinimalRNNCell(12), MinimalRNNCell(8)])(inputs)))
model.compile('adam', 'mse')
losses = model.fit(x, y, epochs=60, batch_size=30, verbose=0).history['loss']
print(losses[0], losses[-1])
assert losses[-1] < 0.05 * losses[0]
layer = RNN(MinimalRNNCell(3), return_sequences=True, return_state=True)
with CustomObjectScope({'MinimalRNNCell': MinimalRNNCell}):
    again = RNN.from_config(layer.get_config())
assert isinstance(again.cell, MinimalRNNCell) and again.cell.units == 3
sequence, state = layer(inputs)
assert K.int_shape(sequence) == (None, None, 3) and K.int_shape(state) == (None, 3)
kernel, recurrent = np.ones((1, 3)), np.eye(3)
layer.set_weights([kernel, recurrent])
found, last = Model(inputs, [sequence, state]).predict(x[:2])
h = np.zeros((2, 3))
for t in range(6):
    h = np.tanh(x[:2, t] @ kernel + h @ recurrent)
    assert np.allclose(found[:, t], h, atol=1e-5)
assert np.allclose(last, h, atol=1e-5)
