"""Triplets: a shared embedding, L2 normalization by Lambda, a loss that ignores its targets."""
import numpy as np
from keras import backend as K
from keras.layers import Concatenate, Conv2D, Dense, Flatten, Input, Lambda, MaxPooling2D
from keras.models import Model

from kbackend.datasets import digits

np.random.seed(11)
SIZE = 8
(x, y), (x_test, y_test) = digits.load_data()
x, x_test = x[..., np.newaxis] / 16., x_test[..., np.newaxis] / 16.

inp = Input((8, 8, 1))
h = Conv2D(12, (3, 3), activation='relu')(inp)
h = MaxPooling2D((2, 2))(h)
h = Dense(SIZE)(Flatten()(h))
h = Lambda(lambda t: K.l2_normalize(t, axis=-1))(h)
embed = Model(inp, h, name='embed')

anchor, positive, negative = Input((8, 8, 1)), Input((8, 8, 1)), Input((8, 8, 1))
joined = Concatenate(axis=-1)([embed(anchor), embed(positive), embed(negative)])
triplet = Model([anchor, positive, negative], joined)


def triplet_loss(y_true, y_pred, alpha=0.4):
    a, p, n = y_pred[:, :SIZE], y_pred[:, SIZE:2 * SIZE], y_pred[:, 2 * SIZE:]
    return K.maximum(K.sum(K.square(a - p), axis=1) - K.sum(K.square(a - n), axis=1) + alpha, 0.0)


def triplets(batch):
    by_class = [np.where(y == c)[0] for c in range(10)]
    while True:
        c = np.random.randint(0, 10, batch)
        d = (c + np.random.randint(1, 10, batch)) % 10
        rows = [[np.random.choice(by_class[k]) for k in which] for which in (c, c, d)]
        yield [x[r] for r in rows], np.zeros((batch, 1))


triplet.compile('adam', triplet_loss)
history = triplet.fit_generator(triplets(64), steps_per_epoch=12, epochs=8, verbose=0)
print(history.history['loss'])
assert history.history['loss'][-1] < 0.5 * history.history['loss'][0]
known, asked = embed.predict(x[:400]), embed.predict(x_test)
assert np.allclose(np.sum(asked ** 2, -1), 1, atol=1e-5)
nearest = y[:400][np.argmax(asked.dot(known.T), -1)]
assert (nearest == y_test).mean() > 0.85
