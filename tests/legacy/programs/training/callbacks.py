"""Callbacks: histories of batches, early stopping, checkpoints by val_acc, CSV, a cosine rate by K.set_value."""
import math
import os
import tempfile

import keras
import numpy as np
from keras import backend as K
from keras.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    TerminateOnNaN,
)
from keras.layers import Dense
from keras.models import Sequential

np.random.seed(4)
folder = tempfile.mkdtemp()
x = np.random.randn(400, 5)
y = (x[:, 0] * x[:, 1] > 0).astype(int)


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs={}):
        self.losses = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))


class CosineRate(Callback):
    def __init__(self, top, steps):
        super(CosineRate, self).__init__()
        self.top, self.steps, self.seen = top, steps, []

    def on_batch_begin(self, batch, logs=None):
        rate = self.top * 0.5 * (1 + math.cos(math.pi * min(len(self.seen) / float(self.steps), 1)))
        K.set_value(self.model.optimizer.lr, rate)
        self.seen.append(rate)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        logs['rate'] = K.get_value(self.model.optimizer.lr)


model = Sequential([Dense(32, activation='relu', input_dim=5), Dense(1, activation='sigmoid')])
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
batches, rate = LossHistory(), CosineRate(0.02, 200)
path = os.path.join(folder, 'weights.{epoch:02d}-{val_acc:.2f}.hdf5')
told = []
history = model.fit(
    x, y, batch_size=40, epochs=20, verbose=0, validation_split=0.25,
    callbacks=[batches, rate, ModelCheckpoint(path, monitor='val_acc', save_best_only=True, mode='max'),
               EarlyStopping(monitor='val_loss', patience=50, min_delta=0), CSVLogger(os.path.join(folder, 'log.csv')),
               TerminateOnNaN(), LambdaCallback(on_epoch_begin=lambda epoch, logs: told.append(epoch))])
print(sorted(os.listdir(folder)), history.history['val_acc'][-1])
assert len(batches.losses) == 8 * 20 == len(rate.seen) and told == list(range(20))
assert history.history['acc'][-1] > 0.85 and np.allclose(history.history['rate'][0], rate.seen[7])
best = max(history.history['val_acc'])
files = sorted(f for f in os.listdir(folder) if f.startswith('weights'))
assert files[-1].endswith('%.2f.hdf5' % best)
again = keras.models.load_model(os.path.join(folder, files[-1]))
assert abs(again.evaluate(x[300:], y[300:], verbose=0)[1] - best) < 1e-6
with open(os.path.join(folder, 'log.csv')) as f:
    lines = f.read().splitlines()
assert len(lines) == 21 and lines[0].startswith('epoch,')
stopping = model.fit(x, y, epochs=50, verbose=0, validation_data=(x, 1 - y),
                     callbacks=[EarlyStopping('val_loss', patience=1)])
assert len(stopping.epoch) < 50
