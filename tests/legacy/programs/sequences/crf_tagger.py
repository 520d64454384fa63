"""A linear-chain CRF as a layer: its own loss by K.rnn over the partition function, and its own metric."""
import numpy as np
from keras import backend as K
from keras.engine import InputSpec, Layer
from keras.layers import LSTM, Bidirectional, Dense, Embedding, TimeDistributed
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(2)


class CRF(Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.supports_masking = True
        super(CRF, self).__init__(**kwargs)
        self.input_spec = [InputSpec(ndim=3)]

    def build(self, input_shape):
        self.chain = self.add_weight(shape=(self.units, self.units), initializer='uniform', name='chain')
        super(CRF, self).build(input_shape)

    def call(self, x, mask=None):
        return x

    def score(self, tags, x):
        moves = K.dot(tags[:, :-1], self.chain) * tags[:, 1:]
        return K.sum(K.sum(x * tags, 2), 1) + K.sum(K.sum(moves, 2), 1)

    def log_partition(self, x):
        def step(inputs, states):
            paths = K.expand_dims(states[0], 2) + K.expand_dims(self.chain, 0)
            new = K.logsumexp(paths, axis=1) + inputs
            return new, [new]

        last, _, _ = K.rnn(step, x[:, 1:], [x[:, 0]])
        return K.logsumexp(last, axis=1)

    def loss(self, y_true, y_pred):
        return self.log_partition(y_pred) - self.score(y_true, y_pred)

    def accuracy(self, y_true, y_pred):
        return K.mean(K.cast(K.equal(K.argmax(y_true, -1), K.argmax(y_pred, -1)), K.floatx()))

    def compute_output_shape(self, input_shape):
        return input_shape


crf = CRF(3)
model = Sequential()
model.add(Embedding(7, 8, input_length=5))
model.add(Bidirectional(LSTM(6, return_sequences=True)))
model.add(TimeDistributed(Dense(3)))
model.add(crf)
model.compile(RMSprop(lr=0.02), loss=crf.loss, metrics=[crf.accuracy])
words = np.random.randint(1, 7, (200, 5))
tags = np.eye(3)[(words + np.roll(words, 1, axis=1)) % 3]
tags[:, 0] = np.eye(3)[words[:, 0] % 3]
history = model.fit(words, tags, batch_size=10, epochs=20, verbose=0).history
print(model.metrics_names, history['loss'][0], history['loss'][-1], history['accuracy'][-1])
assert history['loss'][0] > history['loss'][-1] > 0 and history['accuracy'][-1] > 0.8
