"""A siamese network with a contrastive loss, distances by Lambda, as in the example of 2016."""
from __future__ import absolute_import, print_function

import random

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

from kbackend.datasets import digits

np.random.seed(1337)
random.seed(1337)


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def create_pairs(x, digit_indices):
    pairs = []
    labels = []
    n = min([len(digit_indices[d]) for d in range(10)]) - 1
    for d in range(10):
        for i in range(n):
            z1, z2 = digit_indices[d][i], digit_indices[d][i + 1]
            pairs += [[x[z1], x[z2]]]
            inc = random.randrange(1, 10)
            dn = (d + inc) % 10
            z1, z2 = digit_indices[d][i], digit_indices[dn][i]
            pairs += [[x[z1], x[z2]]]
            labels += [1, 0]
    return np.array(pairs), np.array(labels)


def create_base_network(input_dim):
    seq = Sequential()
    seq.add(Dense(48, input_shape=(input_dim,), activation='relu'))
    seq.add(Dense(24, activation='relu'))
    return seq


def compute_accuracy(predictions, labels):
    return labels[predictions.ravel() < 0.5].mean()


(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train, X_test = X_train.reshape(-1, 64) / 16., X_test.reshape(-1, 64) / 16.
tr_pairs, tr_y = create_pairs(X_train, [np.where(y_train == i)[0] for i in range(10)])
te_pairs, te_y = create_pairs(X_test, [np.where(y_test == i)[0] for i in range(10)])

base_network = create_base_network(64)
input_a = Input(shape=(64,))
input_b = Input(shape=(64,))
processed_a = base_network(input_a)
processed_b = base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([processed_a, processed_b])
model = Model([input_a, input_b], distance)

model.compile(loss=contrastive_loss, optimizer=RMSprop())
model.fit([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, validation_data=([te_pairs[:, 0], te_pairs[:, 1]], te_y),
          batch_size=128, epochs=8, verbose=0)
te_acc = compute_accuracy(model.predict([te_pairs[:, 0], te_pairs[:, 1]]), te_y)
print('* Accuracy on test set: %0.2f%%' % (100 * te_acc))
assert te_acc > 0.85
assert base_network.get_output_at(1) is processed_a or base_network.get_output_at(0) is processed_a
