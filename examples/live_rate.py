"""Rates that change while a model trains: the dropout rate and the learning rate are variables, so that a new value
recompiles nothing."""

import kbackend
from kbackend import Input, K, Model, layers, optimizers
from kbackend.datasets import digits

kbackend.set_seed(5)
(x_train, y_train), _ = digits.load_data()

rate = K.variable(0.6, name="rate")
x = Input((64,))
h = layers.Dropout(rate)(layers.Dense(32, activation="tanh")(x))
model = Model(x, layers.Dense(10, activation="softmax")(h))
model.compile(optimizers.SGD(0.5), "sparse_categorical_crossentropy")

print(f"# {model.engine}")
for dropped, learning_rate in [(0.6, 0.5), (0.3, 0.2), (0.0, 0.1)]:
    K.set_value(rate, dropped)
    model.optimizer.lr = learning_rate
    history = model.fit(x_train[:320].reshape(-1, 64) / 16, y_train[:320], batch_size=64, verbose=0)
    print(f"dropout {dropped:.1f}, learning rate {learning_rate:.1f}: loss {history.history['loss'][0]:.6f}")
print(f"programs made for the train step: {model.programs_made('train')}")
assert model.programs_made("train") == 1
