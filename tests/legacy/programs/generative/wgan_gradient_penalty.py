"""WGAN-GP: a weighted average layer, a penalty on K.gradients by functools.partial, three losses at once."""
from functools import partial

import keras.backend as K
import numpy as np
from keras.layers import Dense, Input
from keras.layers.merge import _Merge
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(6)
BATCH = 32


class RandomWeightedAverage(_Merge):
    """A point between real and made samples."""

    def _merge_function(self, inputs):
        alpha = K.random_uniform((BATCH, 1))
        return (alpha * inputs[0]) + ((1 - alpha) * inputs[1])


def wasserstein_loss(y_true, y_pred):
    return K.mean(y_true * y_pred)


def gradient_penalty_loss(y_true, y_pred, averaged_samples):
    gradients = K.gradients(y_pred, averaged_samples)[0]
    gradients_sqr = K.square(gradients)
    gradients_sqr_sum = K.sum(gradients_sqr, axis=np.arange(1, len(gradients_sqr.shape)))
    gradient_l2_norm = K.sqrt(gradients_sqr_sum)
    return K.mean(K.square(1 - gradient_l2_norm))


critic = Sequential([Dense(32, activation='tanh', input_dim=2), Dense(1)])
generator = Sequential([Dense(16, activation='relu', input_dim=3), Dense(2)])

generator.trainable = False
real, z = Input((2,)), Input((3,))
fake = generator(z)
between = RandomWeightedAverage()([real, fake])
validity = critic(between)
partial_gp_loss = partial(gradient_penalty_loss, averaged_samples=between)
partial_gp_loss.__name__ = 'gradient_penalty'
critic_model = Model(inputs=[real, z], outputs=[critic(real), critic(fake), validity])
critic_model.compile(loss=[wasserstein_loss, wasserstein_loss, partial_gp_loss], optimizer=Adam(0.01, 0.5, 0.9),
                     loss_weights=[1, 1, 10])

critic.trainable = False
generator.trainable = True
z_gen = Input((3,))
generator_model = Model(z_gen, critic(generator(z_gen)))
generator_model.compile(loss=wasserstein_loss, optimizer=Adam(0.01, 0.5, 0.9))

valid, made, dummy = -np.ones((BATCH, 1)), np.ones((BATCH, 1)), np.zeros((BATCH, 1))
target = np.array([-1.5, 1.])


def distance():
    return np.linalg.norm(generator.predict(np.random.normal(size=(200, 3))).mean(0) - target)


start = distance()
for step in range(160):
    for _ in range(3):
        samples = target + 0.2 * np.random.randn(BATCH, 2)
        losses = critic_model.train_on_batch([samples, np.random.normal(size=(BATCH, 3))], [valid, made, dummy])
    generator_model.train_on_batch(np.random.normal(size=(BATCH, 3)), valid)
print('distance', start, distance(), losses)
assert distance() < 0.4 * start
assert losses[3] < 0.5 and len(losses) == 4
