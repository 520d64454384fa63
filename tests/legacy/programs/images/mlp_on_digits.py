"""A dense classifier in the manner of 2017: Sequential, dropout, one-hot labels."""
from __future__ import print_function

import keras
import numpy as np
from keras.layers import Dense, Dropout
from keras.models import Sequential
from keras.optimizers import RMSprop

from kbackend.datasets import digits

np.random.seed(1337)
batch_size = 64
num_classes = 10
epochs = 8

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train = x_train.reshape(-1, 64).astype('float32') / 16
x_test = x_test.reshape(-1, 64).astype('float32') / 16
print(x_train.shape[0], 'train samples')

y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = Sequential()
model.add(Dense(64, activation='relu', input_shape=(64,)))
model.add(Dropout(0.2))
model.add(Dense(64, activation='relu'))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation='softmax'))
model.summary()

model.compile(loss='categorical_crossentropy', optimizer=RMSprop(lr=0.003), metrics=['accuracy'])
history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=2,
                    validation_data=(x_test, y_test))
score = model.evaluate(x_test, y_test, verbose=0)
print('Test loss: %.3f, test accuracy: %.3f' % tuple(score))
assert score[1] > 0.9
assert abs(history.history['val_acc'][-1] - score[1]) < 1e-6
