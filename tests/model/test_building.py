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
