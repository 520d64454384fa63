"""Characters of a text, one-hot by NumPy, an LSTM, sampling with a temperature in a callback of 2017."""
from __future__ import print_function

import random
import sys

import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Activation, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(42)
random.seed(42)
text = 'the quick brown fox jumps over the lazy dog. ' * 8
chars = sorted(list(set(text)))
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))
maxlen = 8
sentences, next_chars = [], []
for i in range(0, len(text) - maxlen):
    sentences.append(text[i: i + maxlen])
    next_chars.append(text[i + maxlen])
x = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(LSTM(24, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars)))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer=RMSprop(lr=0.02))


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype('float64')
    preds = np.log(preds + 1e-12) / temperature
    exp_preds = np.exp(preds)
    preds = exp_preds / np.sum(exp_preds)
    return np.argmax(np.random.multinomial(1, preds, 1))


written = []


def on_epoch_end(epoch, logs):
    if epoch % 12 != 11:
        return
    sentence = text[:maxlen]
    generated = sentence
    for i in range(40):
        x_pred = np.zeros((1, maxlen, len(chars)))
        for t, char in enumerate(sentence):
            x_pred[0, t, char_indices[char]] = 1.
        next_char = indices_char[sample(model.predict(x_pred, verbose=0)[0], 0.2)]
        generated += next_char
        sentence = sentence[1:] + next_char
    sys.stdout.write(generated + '\n')
    written.append(generated)


model.fit(x, y, batch_size=32, epochs=24, verbose=0, callbacks=[LambdaCallback(on_epoch_end=on_epoch_end)])
agreement = np.mean([a == b for a, b in zip(written[-1], text)])
print('as in the text:', agreement)
assert len(written) == 2 and agreement > 0.8
