"""A variational autoencoder of Keras 2: Lambda for the sampling, add_loss for reconstruction and divergence."""
from __future__ import absolute_import, division, print_function

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(0)


def sampling(args):
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim))
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


(x_train, y_train), (x_test, y_test) = digits.load_data()
original_dim = 64
x_train = np.reshape(x_train, [-1, original_dim]).astype('float32') / 16
x_test = np.reshape(x_test, [-1, original_dim]).astype('float32') / 16
latent_dim = 2

inputs = Input(shape=(original_dim,), name='encoder_input')
x = Dense(48, activation='relu')(inputs)
z_mean = Dense(latent_dim, name='z_mean')(x)
z_log_var = Dense(latent_dim, name='z_log_var')(x)
z = Lambda(sampling, output_shape=(latent_dim,), name='z')([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name='encoder')

latent_inputs = Input(shape=(latent_dim,), name='z_sampling')
x = Dense(48, activation='relu')(latent_inputs)
outputs = Dense(original_dim, activation='sigmoid')(x)
decoder = Model(latent_inputs, outputs, name='decoder')

outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name='vae_mlp')
reconstruction_loss = binary_crossentropy(inputs, outputs) * original_dim
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = -0.5 * K.sum(kl_loss, axis=-1)
vae_loss = K.mean(reconstruction_loss + kl_loss)
vae.add_loss(vae_loss)
vae.compile(optimizer='adam')
history = vae.fit(x_train, epochs=12, batch_size=64, validation_data=(x_test, None), verbose=0).history
print(history['loss'][0], history['loss'][-1], history['val_loss'][-1])
assert history['val_loss'][-1] < 0.8 * history['loss'][0]
codes = encoder.predict(x_test)[0]
centres = np.array([codes[y_test == d].mean(0) for d in range(10)])
nearest = np.argmin(((codes[:, None] - centres[None]) ** 2).sum(-1), -1)
print('digits told apart by their codes', (nearest == y_test).mean())
assert (nearest == y_test).mean() > 0.35
assert decoder.predict(np.array([[0., 0.]])).shape == (1, 64)
