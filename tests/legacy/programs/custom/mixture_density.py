"""A mixture density network: a loss on slices of the output with K.logsumexp; two branches for one x."""
import math

import numpy as np
from keras import backend as K
from keras.initializers import RandomUniform
from keras.layers import Concatenate, Dense, Input
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(6)
M = 2
x = np.random.uniform(-1, 1, (600, 1))
y = np.where(np.random.rand(600, 1) < 0.5, 1, -1) * (0.5 + 0.3 * x) + 0.05 * np.random.randn(600, 1)

inputs = Input(shape=(1,))
h = Dense(24, activation='tanh')(inputs)
alphas = Dense(M, activation='softmax')(h)
mus = Dense(M, bias_initializer=RandomUniform(-1., 1.))(h)
sigmas = Dense(M, activation=lambda t: K.exp(t))(h)
model = Model(inputs, Concatenate()([alphas, mus, sigmas]))


def mean_log_Gaussian_like(y_true, parameters):
    components = K.reshape(parameters, [-1, 3, M])
    alpha = K.clip(components[:, 0, :], 1e-8, 1.)
    mu = components[:, 1, :]
    sigma = components[:, 2, :]
    exponent = K.log(alpha) - 0.5 * math.log(2 * np.pi) - K.log(sigma) - K.square(y_true - mu) / (2 * K.square(sigma))
    return -K.mean(K.logsumexp(exponent, axis=1))


model.compile(loss=mean_log_Gaussian_like, optimizer=Adam(0.01))
losses = model.fit(x, y, batch_size=50, epochs=80, verbose=0).history['loss']
centre = np.sort(model.predict(np.array([[0.0]]))[0, M:2 * M])
print(losses[0], losses[-1], 'centres at 0:', centre)
assert losses[-1] < losses[0] - 1
assert np.allclose(centre, [-0.5, 0.5], atol=0.15)
