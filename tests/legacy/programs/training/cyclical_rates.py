"""A search for a learning rate with LambdaCallback, then rates that go up and down, by optimizer.lr."""
import math
import os
import tempfile

import numpy as np
from keras import backend as K
from keras.callbacks import Callback, LambdaCallback, LearningRateScheduler
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import SGD

np.random.seed(15)
x = np.random.randn(320, 4)
y = x.sum(axis=1)
model = Sequential([Dense(12, activation='relu', input_dim=4), Dense(1)])
model.compile(SGD(lr=0.01, momentum=0.9, nesterov=True), 'mse')


class LRFinder:
    def __init__(self, model):
        self.model, self.losses, self.lrs, self.best = model, [], [], 1e9

    def on_batch_end(self, batch, logs):
        lr, loss = K.get_value(self.model.optimizer.lr), logs['loss']
        self.lrs.append(lr)
        self.losses.append(loss)
        if math.isnan(loss) or loss > 10 * max(self.best, 0.1):
            self.model.stop_training = True
            return
        self.best = min(loss, self.best)
        K.set_value(self.model.optimizer.lr, lr * self.factor)

    def find(self, x, y, start, end, batch_size, epochs):
        self.factor = (end / start) ** (1.0 / (epochs * len(x) / batch_size))
        path = os.path.join(tempfile.mkdtemp(), 'tmp.h5')
        self.model.save_weights(path)
        original = K.get_value(self.model.optimizer.lr)
        K.set_value(self.model.optimizer.lr, start)
        callback = LambdaCallback(on_batch_end=lambda batch, logs: self.on_batch_end(batch, logs))
        self.model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[callback])
        self.model.load_weights(path)
        K.set_value(self.model.optimizer.lr, original)


class CyclicLR(Callback):
    def __init__(self, base_lr, max_lr, step_size):
        super(CyclicLR, self).__init__()
        self.base_lr, self.max_lr, self.step_size, self.seen, self.history = base_lr, max_lr, step_size, 0.0, {}

    def rate(self):
        cycle = np.floor(1 + self.seen / (2 * self.step_size))
        place = np.abs(self.seen / self.step_size - 2 * cycle + 1)
        return self.base_lr + (self.max_lr - self.base_lr) * np.maximum(0, 1 - place)

    def on_train_begin(self, logs={}):
        K.set_value(self.model.optimizer.lr, self.rate())

    def on_batch_end(self, batch, logs=None):
        self.seen += 1
        self.history.setdefault('lr', []).append(K.get_value(self.model.optimizer.lr))
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        K.set_value(self.model.optimizer.lr, self.rate())


before = model.get_weights()
finder = LRFinder(model)
finder.find(x, y, 1e-4, 10.0, batch_size=16, epochs=3)
assert model.stop_training and len(finder.lrs) < 60 and finder.lrs[-1] > 0.02
assert all(np.allclose(a, b) for a, b in zip(before, model.get_weights()))

cyclic = CyclicLR(0.001, 0.05, 10)
model.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=[cyclic])
print(finder.lrs[-1], max(cyclic.history['lr']), cyclic.history['loss'][0], cyclic.history['loss'][-1])
assert len(cyclic.history['loss']) == 80 and abs(max(cyclic.history['lr']) - 0.05) < 1e-3
assert cyclic.params['epochs'] == 4 and cyclic.params['samples'] == 320
assert cyclic.history['loss'][-1] < 0.1 * cyclic.history['loss'][0]

history = model.fit(x, y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, lr: lr * 0.5)]).history
assert np.allclose(np.array(history['lr'][1:]) / history['lr'][:-1], 0.5)
