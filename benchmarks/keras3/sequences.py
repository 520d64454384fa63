"""A tagger and a translator of sequences of unequal lengths."""

from __future__ import annotations

from types import ModuleType

from keras import Input, Model, layers


def tagger(workload: ModuleType) -> Model:
    tokens = Input((workload.STEPS,), dtype="int32")
    x = layers.Embedding(workload.LEVELS + 1, workload.WIDTH, mask_zero=True, name="tokens")(tokens)
    x = layers.Bidirectional(layers.LSTM(workload.UNITS, return_sequences=True), name="both")(x)
    return Model(tokens, layers.Dense(workload.TAGS, activation="softmax", name="tags")(x))


def translator(workload: ModuleType) -> Model:
    columns, given = Input((workload.STEPS,), dtype="int32"), Input((workload.LENGTH,), dtype="int32")
    x = layers.Embedding(workload.LEVELS + 1, workload.WIDTH, mask_zero=True, name="columns")(columns)
    read, state = layers.GRU(workload.UNITS, return_sequences=True, return_state=True, name="encoder")(x)
    x = layers.Embedding(workload.LETTERS, workload.WIDTH, mask_zero=True, name="given")(given)
    written = layers.GRU(workload.UNITS, return_sequences=True, name="decoder")(x, initial_state=state)
    x = layers.Concatenate()([written, layers.Attention()([written, read])])
    letters = layers.Dense(workload.LETTERS, activation="softmax", name="letters")(x)
    return Model([columns, given], letters)
