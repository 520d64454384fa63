"""A program for tf.keras of 2019: everything by ``tf.keras``, a Model subclass, metrics with a state."""
import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model

np.random.seed(4)
X = np.random.randn(400, 6)
X[:, 3:] = X[:, :3] @ np.array([[1., 0., 1.], [0., 1., 1.], [1., 1., 0.]])


class AutoEncoder(tf.keras.Model):
    def __init__(self, size):
        super(AutoEncoder, self).__init__()
        self.encoder = tf.keras.layers.Dense(size)
        self.decoder = tf.keras.layers.Dense(6)

    def call(self, inputs):
        return self.decoder(self.encoder(inputs))


model = AutoEncoder(3)
model.compile(tf.keras.optimizers.Adam(0.02), loss=tf.keras.losses.MeanSquaredError(),
              metrics=[tf.keras.metrics.MeanAbsoluteError(name='mae')])
history = model.fit(X, X, epochs=60, batch_size=40, verbose=0).history
print(history['loss'][0], history['loss'][-1], history['mae'][-1])
assert history['loss'][-1] < 0.02

inputs = Input((6,))
linear = Model(inputs, Dense(3)(inputs))
jacobian = K.function([linear.input], [K.gradients(linear.output[:, 0], linear.input)[0]])([X[:4]])[0]
assert np.allclose(jacobian, np.tile(linear.get_weights()[0][:, 0], (4, 1)), atol=1e-6)
assert tf.keras.utils.to_categorical([1], 3).tolist() == [[0, 1, 0]]
assert isinstance(linear.layers[1], tf.keras.layers.Dense) and tf.__version__.startswith('2.')
