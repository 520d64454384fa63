"""A convolutional denoising autoencoder: Conv2DTranspose or UpSampling2D, noise, intermediate codes."""
import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Input, Reshape, UpSampling2D
from keras.layers.noise import GaussianNoise
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(1337)
(x_train, _), (x_test, _) = digits.load_data()
x_train = np.reshape(x_train, [-1, 8, 8, 1]).astype('float32') / 16
x_test = np.reshape(x_test, [-1, 8, 8, 1]).astype('float32') / 16

input_img = Input(shape=(8, 8, 1))
x = GaussianNoise(0.3)(input_img)
x = Conv2D(8, 3, strides=2, activation='relu', padding='same')(x)
x = Conv2D(16, 3, strides=2, activation='relu', padding='same')(x)
shape = K.int_shape(x)
latent = Dense(16, name='latent_vector')(Flatten()(x))
x = Dense(shape[1] * shape[2] * shape[3])(latent)
x = Reshape((shape[1], shape[2], shape[3]))(x)
x = Conv2DTranspose(16, 3, strides=2, activation='relu', padding='same')(x)
x = UpSampling2D((2, 2))(x)
decoded = Conv2D(1, 3, activation='sigmoid', padding='same')(x)
autoencoder = Model(input_img, decoded)
autoencoder.compile(loss='mse', optimizer='adam')
autoencoder.fit(x_train, x_train, epochs=20, batch_size=64, verbose=0)

noisy = np.clip(x_test + 0.4 * np.random.normal(size=x_test.shape), 0, 1)
cleaned = autoencoder.predict(noisy)
error, before = np.mean((cleaned - x_test) ** 2), np.mean((noisy - x_test) ** 2)
print('error', error, 'before', before)
assert error < before
code = K.function([autoencoder.layers[0].input], [autoencoder.get_layer('latent_vector').output])([x_test[:5]])[0]
assert code.shape == (5, 16) and np.allclose(code, Model(input_img, latent).predict(x_test[:5]), atol=1e-5)
