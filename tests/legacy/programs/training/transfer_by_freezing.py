"""Transfer learning: features of five digits, frozen, for the other five; pop, weights by name, recompiled."""
from __future__ import print_function

import os
import tempfile

import numpy as np
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Model, Sequential

from kbackend.datasets import digits

np.random.seed(1337)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., None] / 16., x_test[..., None] / 16.
low, low_test = y_train < 5, y_test < 5


def train_model(model, x, y, x_test, y_test, epochs):
    model.compile(loss='sparse_categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0)[1]


feature_layers = [Conv2D(8, 3, padding='valid', input_shape=(8, 8, 1), name='features_1'), Activation('relu'),
                  Conv2D(8, 3, name='features_2'), Activation('relu'), MaxPooling2D(pool_size=2), Dropout(0.25),
                  Flatten()]
classification_layers = [Dense(32, name='top_1'), Activation('relu'), Dropout(0.2), Dense(5), Activation('softmax')]
model = Sequential(feature_layers + classification_layers)
first = train_model(model, x_train[low], y_train[low], x_test[low_test], y_test[low_test], 12)
for layer in feature_layers:
    layer.trainable = False
kept = model.get_layer('features_2').get_weights()
assert len(model.trainable_weights) == 4 and len(model.non_trainable_weights) == 4
second = train_model(model, x_train[~low], y_train[~low] - 5, x_test[~low_test], y_test[~low_test] - 5, 14)
print('accuracy', first, second)
assert first > 0.95 and second > 0.8
assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_layer('features_2').get_weights()))

path = os.path.join(tempfile.mkdtemp(), 'weights.h5')
model.save_weights(path)
other = Sequential([Conv2D(8, 3, input_shape=(8, 8, 1), name='features_1'), Conv2D(8, 3, name='features_2'),
                    Flatten(), Dense(3, name='another_top')])
top = other.get_layer('another_top').get_weights()[0]
other.load_weights(path, by_name=True)
assert np.allclose(other.get_layer('features_2').get_weights()[0], kept[0])
assert np.array_equal(other.get_layer('another_top').get_weights()[0], top)
other.pop()
assert other.output_shape == (None, 128)
bottleneck = Model(inputs=model.input, outputs=model.get_layer('features_2').output).predict(x_test[:3])
assert bottleneck.shape == (3, 4, 4, 8)
