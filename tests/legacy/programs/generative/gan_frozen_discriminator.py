"""A GAN of 2017: a discriminator that is compiled, then frozen inside the combined model; train_on_batch in turns."""
import numpy as np
from keras.layers import BatchNormalization, Dense, Input
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(12)


class GAN():
    def __init__(self):
        self.latent_dim = 4
        optimizer = Adam(0.01, 0.5)
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss='binary_crossentropy', optimizer=Adam(0.01, 0.5), metrics=['accuracy'])
        self.generator = self.build_generator()
        z = Input(shape=(self.latent_dim,))
        img = self.generator(z)
        self.discriminator.trainable = False
        validity = self.discriminator(img)
        self.combined = Model(z, validity)
        self.combined.compile(loss='binary_crossentropy', optimizer=optimizer)

    def build_generator(self):
        model = Sequential()
        model.add(Dense(16, input_dim=self.latent_dim))
        model.add(LeakyReLU(alpha=0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(2))
        noise = Input(shape=(self.latent_dim,))
        return Model(noise, model(noise))

    def build_discriminator(self):
        model = Sequential()
        model.add(Dense(32, input_dim=2))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dense(16))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dense(1, activation='sigmoid'))
        img = Input(shape=(2,))
        return Model(img, model(img))

    def train(self, data, steps, batch_size):
        valid = np.ones((batch_size, 1))
        fake = np.zeros((batch_size, 1))
        for epoch in range(steps):
            imgs = data[np.random.randint(0, data.shape[0], batch_size)]
            noise = np.random.normal(0, 1, (batch_size, self.latent_dim))
            gen_imgs = self.generator.predict(noise)
            d_loss_real = self.discriminator.train_on_batch(imgs, valid)
            d_loss_fake = self.discriminator.train_on_batch(gen_imgs, fake)
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            frozen = self.discriminator.get_weights()
            g_loss = self.combined.train_on_batch(np.random.normal(0, 1, (batch_size, self.latent_dim)), valid)
            assert all(np.array_equal(a, b) for a, b in zip(frozen, self.discriminator.get_weights()))
        return d_loss, g_loss


real = np.array([3., -2.]) + 0.3 * np.random.randn(500, 2)
gan = GAN()
before = gan.discriminator.get_weights()
start = gan.generator.predict(np.random.normal(0, 1, (300, 4))).mean(0)
d_loss, g_loss = gan.train(real, 150, 32)
assert any(not np.array_equal(a, b) for a, b in zip(before, gan.discriminator.get_weights()))
made = gan.generator.predict(np.random.normal(0, 1, (300, 4)))
print('D loss %f, acc %.2f%%, G loss %f' % (d_loss[0], 100 * d_loss[1], g_loss), start, made.mean(0))
assert np.linalg.norm(made.mean(0) - [3, -2]) < 0.4 * np.linalg.norm(start - [3, -2])
