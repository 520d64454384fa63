"""A variational autoencoder of 2016: the loss is a function that closes over tensors, epsilon by shape and std."""
import numpy as np
from keras import backend as K
from keras import objectives
from keras.layers import Dense, Input, Lambda
from keras.models import Model

np.random.seed(1)
batch_size, original_dim, latent_dim, intermediate_dim, epsilon_std = 50, 12, 2, 32, 1.0
codes = np.random.randn(1000, 2)
X = 1 / (1 + np.exp(-5 * codes.dot(np.random.randn(2, original_dim))))

x = Input(batch_shape=(batch_size, original_dim))
h = Dense(intermediate_dim, activation='relu')(x)
z_mean = Dense(latent_dim)(h)
z_log_var = Dense(latent_dim)(h)


def sampling(args):
    z_mean, z_log_var = args
    epsilon = K.random_normal(shape=(batch_size, latent_dim), mean=0., stddev=epsilon_std)
    return z_mean + K.exp(z_log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
decoder_h = Dense(intermediate_dim, activation='relu')
decoder_mean = Dense(original_dim, activation='sigmoid')
x_decoded_mean = decoder_mean(decoder_h(z))


def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return xent_loss + kl_loss


vae = Model(x, x_decoded_mean)
vae.compile(optimizer='rmsprop', loss=vae_loss)
losses = vae.fit(X, X, shuffle=True, nb_epoch=40, batch_size=batch_size, verbose=0).history['loss']
print(losses[0], losses[-1])
assert losses[-1] < losses[0] - 1.0

encoder = Model(x, z_mean)
found = encoder.predict(X, batch_size=batch_size)
explained = np.linalg.lstsq(np.c_[found, np.ones(1000)], codes, rcond=None)[1] / ((codes - codes.mean(0)) ** 2).sum(0)
print('unexplained part of the true codes', explained)
assert explained.max() < 0.5

decoder_input = Input(shape=(latent_dim,))
generator = Model(decoder_input, decoder_mean(decoder_h(decoder_input)))
assert generator.predict(np.zeros((3, 2))).shape == (3, original_dim)
