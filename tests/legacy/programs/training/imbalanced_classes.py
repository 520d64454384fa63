"""Class weights, sample weights, weights of steps, and metrics with and without them."""
import keras
import numpy as np
from keras.layers import LSTM, Dense, TimeDistributed
from keras.models import Sequential
from keras.utils import normalize, to_categorical

np.random.seed(8)
x = np.concatenate([np.random.randn(380, 2), np.random.randn(20, 2) + 2])
y = np.concatenate([np.zeros(380), np.ones(20)])
recall = {}
for name, weights in (('plain', None), ('weighted', {0: 1., 1: 19.})):
    model = Sequential([Dense(8, activation='relu', input_dim=2), Dense(2, activation='softmax')])
    model.compile(keras.optimizers.Nadam(), 'categorical_crossentropy', metrics=['categorical_accuracy'])
    model.fit(x, to_categorical(y, 2), epochs=20, verbose=0, class_weight=weights, shuffle=True)
    recall[name] = (model.predict_classes(x[380:]) == 1).mean()
print(recall)
assert recall['weighted'] > 0.8 and recall['weighted'] >= recall['plain']

doubt = np.where(np.random.rand(400) < 0.3, 0., 1.)
wrong = np.where(doubt == 0, 1 - y, y)
model = Sequential([Dense(1, activation='sigmoid', input_dim=2)])
model.compile('adagrad', 'binary_crossentropy', metrics=['acc'], weighted_metrics=['acc'])
model.fit(x, wrong, epochs=30, verbose=0, sample_weight=doubt)
found = dict(zip(model.metrics_names, model.evaluate(x, wrong, sample_weight=doubt, verbose=0)))
print(found)
assert found['acc_1'] > found['acc'] + 0.05

steps = np.random.rand(80, 5, 2)
model = Sequential([LSTM(6, return_sequences=True, input_shape=(5, 2)), TimeDistributed(Dense(1))])
model.compile('rmsprop', 'mse', sample_weight_mode='temporal')
weights = np.zeros((80, 5))
weights[:, -1] = 1
targets = np.cumsum(steps[..., :1], 1)
history = model.fit(steps, targets, sample_weight=weights, epochs=60, batch_size=8, verbose=0).history['loss']
assert history[-1] < 0.2 * history[0]
assert np.allclose(np.linalg.norm(normalize(x), axis=-1), 1)
