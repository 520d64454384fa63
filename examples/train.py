"""Train a small convnet on handwritten digits: ``KBACKEND=torch python train.py`` and
``KBACKEND=tensorflow python train.py`` print the same losses, up to rounding."""

import kbackend
from kbackend import Input, Model, layers, optimizers
from kbackend.callbacks import LambdaCallback
from kbackend.datasets import digits

kbackend.set_seed(7)
(x_train, y_train), (x_test, y_test) = digits.load_data()

image = Input((8, 8, 1))
h = layers.Conv2D(16, 3, padding="same", activation="tanh")(image)
h = layers.MaxPooling2D()(h)
h = layers.Dropout(0.25)(layers.Flatten()(h))
model = Model(image, layers.Dense(10, activation="softmax")(h))
model.compile(optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])


def show(step, logs):
    if step % 5 == 4:
        print(f"step {step + 1:2}: loss {logs['loss']:.6f}")


print(f"# {model.engine}")
model.fit(
    x_train[:640, ..., None] / 16, y_train[:640],
    batch_size=32, verbose=0, callbacks=[LambdaCallback(on_batch_end=show)],
)  # fmt: skip
loss, accuracy = model.evaluate(x_test[..., None] / 16, y_test)
print(f"held out: loss {loss:.6f}, accuracy {accuracy:.3f}")
