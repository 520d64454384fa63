"""Layers of 2016: get_output_shape_for, K.variable in build, trainable_weights assigned, initializations."""
import numpy as np
from keras import backend as K
from keras import initializations
from keras.engine import InputSpec, Layer
from keras.layers import Dense, Highway, Input, MaxoutDense
from keras.models import Model, Sequential

np.random.seed(5)


class Rescale(Layer):
    def __init__(self, init='one', **kwargs):
        self.init = initializations.get(init)
        self.uses_learning_phase = False
        super(Rescale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.gamma = self.init((input_shape[1],), name='{}_gamma'.format(self.name))
        self.beta = K.zeros((input_shape[1],), name='{}_beta'.format(self.name))
        self.trainable_weights = [self.gamma, self.beta]

    def call(self, x, mask=None):
        return self.gamma * x + self.beta

    def get_output_shape_for(self, input_shape):
        return input_shape


class Powers(Layer):
    def call(self, x, mask=None):
        return K.concatenate([x, K.square(x)], axis=1)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], 2 * input_shape[1])


X = np.random.uniform(-1, 1, (400, 3))
y = 3 * X[:, :1] ** 2 - 2 * X[:, 1:2] + 1
model = Sequential()
model.add(Powers(input_shape=(3,)))
model.add(Rescale())
model.add(Dense(output_dim=1, init='uniform', bias=True))
model.compile('adam', 'mse')
assert model.layers[0].get_output_shape_for((None, 3)) == (None, 6)
assert model.layers[1].get_output() is model.layers[1].output
loss = model.fit(X, y, nb_epoch=150, batch_size=20, verbose=0).history['loss'][-1]
print('loss', loss, [w.shape for w in model.get_weights()])
assert loss < 0.05
assert [w.shape for w in model.get_weights()] == [(6,), (6,), (6, 1), (1,)]

inputs = Input((3,))
hidden = Highway(activation='tanh')(MaxoutDense(8, nb_feature=3)(inputs))
deep = Model(input=[inputs], output=[Dense(1)(hidden)])
deep.compile('rmsprop', 'mse')
loss = deep.fit(X, y, nb_epoch=40, batch_size=20, verbose=0).history['loss'][-1]
print('maxout and highway', loss)
assert loss < 0.1
