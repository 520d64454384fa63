"""One seed, one run on every installed engine: the same initial weights, the same elements dropped at each step and the
same batches in the same order, bit for bit, and so the same training curve up to rounding.

The checksums that it prints are the same on any machine; the last digits of losses are not."""

import hashlib

import numpy as np

import kbackend
from kbackend import Input, K, Model, layers, optimizers
from kbackend.callbacks import LambdaCallback
from kbackend.datasets import digits

SAMPLES, BATCH, EPOCHS = 640, 32, 5
(x_train, y_train), _ = digits.load_data()
x, y = (x_train[:SAMPLES].reshape(-1, 64) / 16).astype("float32"), y_train[:SAMPLES]


def checksum(arrays) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:8]


def train(engine: str) -> dict:
    with kbackend.use_backend(engine):
        kbackend.set_seed(7)
        pixels = Input((64,))
        hidden = layers.Dense(48, activation="tanh")(pixels)
        dropped = layers.Dropout(0.3)(hidden)
        model = Model(pixels, layers.Dense(10, activation="softmax")(dropped))
        model.compile(optimizers.Adam(0.003), "sparse_categorical_crossentropy")

        # Two variables into which each training step writes the batch that it saw and its dropout mask: what the
        # gradient through the dropout layer is multiplied by.
        batch, mask = K.zeros((BATCH, 64)), K.zeros((BATCH, 48))
        model.add_update([K.update(batch, pixels), K.update(mask, K.gradients(K.sum(dropped), [hidden])[0])])
        start, batches, masks, losses = model.get_weights(), [], [], []

        def look(step, logs):
            batches.append(K.get_value(batch))
            masks.append(K.get_value(mask))
            losses.append(logs["loss"])

        model.fit(
            x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[LambdaCallback(on_batch_end=look)]
        )
    return {
        "weights": start,
        "first mask": masks[:1],
        "all masks": masks,
        "batches": batches,
        "losses": losses,
    }


def show(engine: str, run: dict) -> None:
    sums = "  ".join(f"{what} {checksum(arrays)}" for what, arrays in run.items() if what != "losses")
    first = " ".join(f"{loss:.5f}" for loss in run["losses"][:3])
    print(f"# {engine}: {sums}\n  losses {first} ... {run['losses'][-1]:.5f}")


runs = {engine: train(engine) for engine in kbackend.available_backends()}
for engine, run in runs.items():
    show(engine, run)

one, *others = runs.values()
assert all(checksum(run[k]) == checksum(one[k]) for run in others for k in one if k != "losses")
curves = np.array([run["losses"] for run in runs.values()])
print(f"{curves.shape[1]} steps, curves differ by at most {np.ptp(curves, axis=0).max():.1e}")
