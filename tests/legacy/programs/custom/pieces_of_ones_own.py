"""An activation, initializer, regularizer, constraint and metric of one's own, by get_custom_objects."""
import numpy as np
from keras import backend as K
from keras.constraints import Constraint
from keras.initializers import Initializer
from keras.layers import Activation, Dense
from keras.models import Sequential
from keras.regularizers import Regularizer
from keras.utils.generic_utils import get_custom_objects

np.random.seed(2)


def swish(x):
    return K.sigmoid(x) * x


get_custom_objects().update({'swish2': Activation(swish), 'hard_swish2': swish})


class Ramp(Initializer):
    def __call__(self, shape, dtype=None):
        return K.reshape(K.arange(0, int(np.prod(shape)), dtype='float32'), shape) / float(np.prod(shape))


class Orthogonality(Regularizer):
    def __init__(self, strength=0.01):
        self.strength = K.cast_to_floatx(strength)

    def __call__(self, w):
        gram = K.dot(K.transpose(w), w)
        return self.strength * K.sum(K.square(gram - K.eye(K.int_shape(w)[1])))

    def get_config(self):
        return {'strength': float(self.strength)}


class Simplex(Constraint):
    def __call__(self, w):
        w *= K.cast(K.greater_equal(w, 0.), K.floatx())
        return w / (K.epsilon() + K.sum(w, axis=0, keepdims=True))


def within_tenth(y_true, y_pred):
    return K.mean(K.cast(K.less(K.abs(y_true - y_pred), 0.1), 'float32'), axis=-1)


x = np.random.rand(300, 4)
y = x.dot([[0.1], [0.2], [0.3], [0.4]])
model = Sequential()
model.add(Dense(4, input_shape=(4,), kernel_initializer=Ramp(), kernel_regularizer=Orthogonality(0.001),
                activation='hard_swish2'))
model.add(Dense(1, kernel_constraint=Simplex()))
assert np.allclose(model.get_weights()[0], np.arange(16).reshape(4, 4) / 16)
start = K.get_value(model.losses[0])
w = np.arange(16).reshape(4, 4) / 16
assert abs(start - 0.001 * np.sum((w.T @ w - np.eye(4)) ** 2)) < 1e-6
model.compile('rmsprop', 'mean_squared_error', metrics=[within_tenth])
history = model.fit(x, y, batch_size=20, epochs=25, verbose=0).history
print(history['within_tenth'][0], history['within_tenth'][-1])
assert history['within_tenth'][-1] > 0.8
last = model.get_weights()[2]
assert np.all(last >= 0) and abs(last.sum() - 1) < 1e-4
