"""Matrix factorization of 2016: embeddings, merge(mode='dot'), fit_generator with samples_per_epoch."""
import numpy as np
from keras.layers import Embedding, Flatten, Input, merge
from keras.models import Model
from keras.regularizers import l2

np.random.seed(7)
n_users, n_items, n_factors = 30, 25, 3
U, V = np.random.randn(n_users, 2), np.random.randn(n_items, 2)
ratings = U.dot(V.T) + 0.3 * np.random.randn(n_users)[:, None]
users, items = [a.ravel() for a in np.meshgrid(np.arange(n_users), np.arange(n_items), indexing='ij')]
order = np.random.permutation(users.size)
train, test = order[:600], order[600:]

user_in = Input(shape=(1,), dtype='int64', name='user_in')
u = Embedding(n_users, n_factors, input_length=1, W_regularizer=l2(1e-5))(user_in)
item_in = Input(shape=(1,), dtype='int64', name='item_in')
m = Embedding(n_items, n_factors, input_length=1, W_regularizer=l2(1e-5))(item_in)
ub = Flatten()(Embedding(n_users, 1, input_length=1)(user_in))
x = merge([u, m], mode='dot', dot_axes=2)
x = Flatten()(x)
x = merge([x, ub], mode='sum')
model = Model(input=[user_in, item_in], output=x)
model.compile('adam', loss='mse')
model.optimizer.lr = 0.03


def batches(rows, size=50):
    while True:
        for start in range(0, len(rows), size):
            some = rows[start:start + size]
            yield [users[some], items[some]], ratings[users[some], items[some]]


history = model.fit_generator(batches(train), samples_per_epoch=600, nb_epoch=40, verbose=0,
                              validation_data=batches(test), nb_val_samples=150).history
print(history['loss'][0], history['loss'][-1], history['val_loss'][-1])
assert history['val_loss'][-1] < 0.35 * np.var(ratings)
assert abs(model.evaluate_generator(batches(test), val_samples=150) - history['val_loss'][-1]) < 1e-3
