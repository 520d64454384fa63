"""Steps of one's own that models are known for: two optimizers, and draws inside."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, layers, losses, metrics, optimizers

pytestmark = pytest.mark.usefixtures("engine")


class GAN(Model):
    def __init__(self, seed=3):
        kbackend.set_seed(seed)
        super().__init__(name="gan")
        z, x = Input((4,)), Input((2,))
        self.generator = Model(z, layers.Dense(2)(layers.Dense(8, activation="tanh")(z)), name="generator")
        h = layers.Dropout(0.2)(layers.Dense(8, activation="relu")(x))
        self.discriminator = Model(x, layers.Dense(1)(layers.BatchNormalization()(h)), name="discriminator")
        self.d_loss, self.g_loss = metrics.Mean(name="d_loss"), metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def compile(self, d_optimizer, g_optimizer, loss):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss = d_optimizer, g_optimizer, loss

    def drawn(self, real):
        return self.generator(K.random_normal((K.shape(real)[0], 4)))

    def train_step(self, real):
        fake = self.drawn(real)
        labels = K.concatenate([K.ones_like(fake[:, :1]), K.zeros_like(real[:, :1])], axis=0)
        d_loss = self.loss(labels, self.discriminator(K.concatenate([fake, real], axis=0)))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(K.gradients(d_loss, weights), weights))
        judged = self.discriminator(self.drawn(real))
        g_loss = self.loss(K.zeros_like(judged), judged)
        self.g_optimizer.minimize(g_loss, self.generator.trainable_weights)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}


def trained_gan(engine, epochs=4):
    gan = GAN().to(engine)
    gan.compile(optimizers.Adam(0.01), optimizers.SGD(0.1, momentum=0.5), losses.BinaryCrossentropy(from_logits=True))
    history = gan.fit(rows(70, 2, seed=4) + 2, epochs=epochs, batch_size=16, verbose=0).history
    return gan, history


def test_a_gan_trains_the_same_way_on_each_engine(each_backend):
    gan, history = trained_gan(each_backend)
    reference, wanted = trained_gan("numpy")
    assert list(history) == ["d_loss", "g_loss"] and history["d_loss"][-1] < 0.8 * history["d_loss"][0]
    for name in wanted:
        np.testing.assert_allclose(history[name], wanted[name], rtol=1e-4)
    for a, b in zip(reference.get_weights(), gan.get_weights()):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-5)
    assert gan.programs_made("train") == 1
    assert int(K.get_value(gan.g_optimizer.iterations)) == 4 * 5


def test_a_gan_moves_between_engines_and_goes_on_from_a_checkpoint(each_backend, tmp_path):
    gan, _ = trained_gan(each_backend, 1)
    gan.save_checkpoint(tmp_path / "gan")
    data = rows(70, 2, seed=4) + 2
    wanted = gan.fit(data, epochs=2, initial_epoch=1, batch_size=16, verbose=0).history
    other = GAN().to(each_backend)
    other.compile(optimizers.Adam(0.5), optimizers.SGD(0.5, momentum=0.5), gan.loss)
    assert other.load_checkpoint(tmp_path / "gan") == 1
    assert other.fit(data, epochs=2, initial_epoch=1, batch_size=16, verbose=0).history == wanted
    third = GAN().to(each_backend)
    third.compile(optimizers.Adam(0.5), optimizers.SGD(0.5, momentum=0.5), gan.loss)
    third.load_checkpoint(tmp_path / "gan")
    third.to("numpy")
    moved = third.fit(data, epochs=2, initial_epoch=1, batch_size=16, verbose=0).history
    np.testing.assert_allclose(moved["d_loss"], wanted["d_loss"], rtol=1e-4)


class VAE(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        x, z = Input((6,)), Input((2,))
        h = layers.Dense(8, activation="relu")(x)
        self.encoder = Model(x, [layers.Dense(2)(h), layers.Dense(2)(h)])
        self.decoder = Model(z, layers.Dense(6, activation="sigmoid")(layers.Dense(8, activation="relu")(z)))
        self.loss, self.kl = metrics.Mean(name="loss"), metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.loss, self.kl]

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[0])

    def measured(self, x):
        mean, log_variance = self.encoder(x)
        z = mean + K.exp(0.5 * log_variance) * K.random_normal(K.shape(mean))
        again = K.mean(K.sum(K.binary_crossentropy(x, self.decoder(z)), axis=-1))
        kl = -0.5 * K.mean(K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1))
        self.loss.update_state(again + kl)
        self.kl.update_state(kl)
        return again + kl

    def train_step(self, data):
        self.optimizer.minimize(self.measured(data), self.trainable_weights)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        self.measured(data)
        return {m.name: m.result() for m in self.metrics}


def test_a_vae_trains_evaluates_and_predicts(each_backend):
    data = np.clip(rows(70, 1, seed=2) * 0.2 + np.linspace(0.1, 0.9, 6), 0, 1)
    found = []
    for engine in ("numpy", each_backend):
        kbackend.set_seed(1)
        vae = VAE(name="vae").to(engine)
        vae.compile(optimizers.Adam(0.01))
        history = vae.fit(data, epochs=4, batch_size=16, verbose=0, validation_split=0.2).history
        assert history["loss"][-1] < history["loss"][0] and set(history) == {"loss", "kl", "val_loss", "val_kl"}
        assert vae.predict(data).shape == (70, 6)
        found.append((history, vae.evaluate(data, return_dict=True)["loss"]))
    for name, values in found[0][0].items():
        np.testing.assert_allclose(found[1][0][name], values, rtol=1e-4)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-4)
