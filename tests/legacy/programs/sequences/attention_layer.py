"""Attention of one's own over an LSTM, with a mask: supports_masking, compute_mask, K.exp and K.cast as of 2016."""
import numpy as np
from keras import backend as K
from keras import constraints, initializers, regularizers
from keras.engine.topology import Layer
from keras.layers import LSTM, Dense, Input, Masking
from keras.models import Model

np.random.seed(31)


class Attention(Layer):
    def __init__(self, W_regularizer=None, b_regularizer=None, W_constraint=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get('glorot_uniform')
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.bias = bias
        super(Attention, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight((input_shape[-1],), initializer=self.init, name='{}_W'.format(self.name),
                                 regularizer=self.W_regularizer, constraint=self.W_constraint)
        if self.bias:
            self.b = self.add_weight((1,), initializer='zero', name='{}_b'.format(self.name),
                                     regularizer=self.b_regularizer)
        self.built = True

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        eij = K.squeeze(K.dot(x, K.expand_dims(self.W)), axis=-1)
        if self.bias:
            eij += self.b
        a = K.exp(K.tanh(eij))
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        self.weights_of_steps = a
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


x = np.random.rand(400, 10, 3)
lengths = np.random.randint(3, 11, 400)
for row, n in zip(x, lengths):
    row[n:] = 0
y = np.array([row[:n, 0].mean() > 0.5 for row, n in zip(x, lengths)]).astype(float)
inputs = Input((10, 3))
hidden = LSTM(8, return_sequences=True)(Masking(0.)(inputs))
attention = Attention(W_regularizer='l2')
model = Model(inputs, Dense(1, activation='sigmoid')(attention(hidden)))
model.compile('adam', 'binary_crossentropy', metrics=['acc'])
acc = model.fit(x, y, epochs=60, batch_size=40, verbose=0).history['acc']
print('accuracy', acc[0], acc[-1])
assert acc[-1] > 0.85 and len(model.losses) == 1
weights = K.function([inputs], [attention.weights_of_steps])([x[:50]])[0]
assert np.allclose(weights.sum(1), 1, atol=1e-3)
assert all(np.all(w[n:] == 0) for w, n in zip(weights, lengths))
