"""Sums of digits as texts: an encoder, RepeatVector, a decoder with return_sequences, TimeDistributed."""
from __future__ import print_function

import numpy as np
from keras import layers
from keras.models import Sequential

np.random.seed(2)


class CharacterTable(object):
    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = dict((c, i) for i, c in enumerate(self.chars))
        self.indices_char = dict((i, c) for i, c in enumerate(self.chars))

    def encode(self, C, num_rows):
        x = np.zeros((num_rows, len(self.chars)))
        for i, c in enumerate(C):
            x[i, self.char_indices[c]] = 1
        return x

    def decode(self, x, calc_argmax=True):
        if calc_argmax:
            x = x.argmax(axis=-1)
        return ''.join(self.indices_char[x] for x in x)


DIGITS, MAXLEN = 1, 3
ctable = CharacterTable('0123456789+ ')
pairs = [(a, b) for a in range(10) for b in range(10)] * 8
np.random.shuffle(pairs)
x = np.array([ctable.encode('%d+%d' % (a, b), MAXLEN) for a, b in pairs])
y = np.array([ctable.encode(str(a + b).rjust(DIGITS + 1), DIGITS + 1) for a, b in pairs])

RNN = layers.LSTM
model = Sequential()
model.add(RNN(64, input_shape=(MAXLEN, len(ctable.chars))))
model.add(layers.RepeatVector(DIGITS + 1))
model.add(RNN(64, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(len(ctable.chars), activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x, y, batch_size=32, epochs=45, verbose=0)
preds = model.predict_classes(x[:100], verbose=0)
right = np.mean([ctable.decode(p, calc_argmax=False) == ctable.decode(t) for p, t in zip(preds, y)])
print('right sums:', right)
assert right > 0.7
