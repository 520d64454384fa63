"""Building models: without an engine, and in time that grows with their size."""

from __future__ import annotations


def test_a_model_is_built_without_importing_an_engine(fresh_python):
    out = fresh_python("""
import sys
from kbackend import Input, Model, layers
x = Input((8, 8, 1))
h = layers.BatchNormalization()(layers.Conv2D(4, 3)(x))
h = layers.Dropout(0.5)(layers.Flatten()(layers.MaxPooling2D()(h)))
r = layers.LSTM(3)(layers.Embedding(5, 4, mask_zero=True)(Input((7,))))
Model(x, layers.Dense(2)(h)).summary(print_fn=lambda line: None)
print(sorted({"torch", "tensorflow", "autograd"} & set(sys.modules)))
""")
    assert out.strip() == "[]"


def test_making_a_hundred_layers_is_linear_and_fast(fresh_python):
    out = fresh_python("""
import time
from kbackend import Input, Model, layers
def build(n):
    start = time.perf_counter()
    x = h = Input((64,))
    for _ in range(n):
        h = layers.Dense(64, activation="relu")(h)
    Model(x, h)
    return time.perf_counter() - start
build(3)
print(min(build(100) for _ in range(3)), min(build(400) for _ in range(3)))
""")
    hundred, four_hundred = map(float, out.split())
    assert hundred < 0.1
    assert four_hundred < 8 * hundred
