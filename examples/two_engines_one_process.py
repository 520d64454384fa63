"""One model trains some steps on each installed engine in turn. Its Adam moments and the position in the stream of
dropout masks move with its weights: a copy that stays on NumPy ends with the same weights."""

import numpy as np

import kbackend
from kbackend import Input, Model, layers
from kbackend.datasets import digits

(x_train, y_train), _ = digits.load_data()
x_train = x_train.reshape(-1, 64)[:256] / 16
y_train = y_train[:256]


def make() -> Model:
    kbackend.set_seed(11)
    x = Input((64,))
    h = layers.Dropout(0.3)(layers.Dense(32, activation="tanh")(x))
    model = Model(x, layers.Dense(10, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


travels, stays = make(), make().to("numpy")
for engine in kbackend.available_backends():
    travels.to(engine)
    for start in range(0, 256, 64):
        batch = x_train[start : start + 64], y_train[start : start + 64]
        loss, same = travels.train_on_batch(*batch), stays.train_on_batch(*batch)
    print(f"# {engine}: loss {loss:.6f}, numpy alone {same:.6f}")

parts = max(np.abs(a - b).max() for a, b in zip(travels.get_weights(), stays.get_weights()))
assert parts < 1e-4, parts
print(f"the weights of both agree within {1e-4}")
