"""Masked GRU encoder and decoder with attention: reads the columns of a digit, writes the letters of its name.

The decoder starts in the encoder's last state and is given the letter before; attention is dot-product attention of its
states over the encoder's, and letters come from both, side by side.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.data import Data, columns
from benchmarks.workloads.initial import Weights

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: 0 fills, 1 begins a word, 2 ends it
ALPHABET = {letter: place for place, letter in enumerate(sorted(set("".join(WORDS))), 3)}
LETTERS = len(ALPHABET) + 3
STEPS, LEVELS, LENGTH, WIDTH, UNITS = 28, 16, 6, 32, 64
LOSS = "sparse_categorical_crossentropy"


def data(samples: int) -> Data:
    tokens, labels = columns(samples, LEVELS)
    words = np.zeros((len(WORDS), LENGTH), np.int32)
    for row, word in zip(words, WORDS):
        row[: len(word) + 1] = [*(ALPHABET[letter] for letter in word), 2]
    targets = words[labels]
    given = np.where(targets != 0, np.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=1), 0)
    return Data((tokens, given.astype(np.int32)), targets)


def counted(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Letters that are no filling, (samples, letters)."""
    return inputs[1] != 0


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.embedding("columns", LEVELS + 1, WIDTH)
    weights.gru("encoder", WIDTH, UNITS)
    weights.embedding("given", LETTERS, WIDTH)
    weights.gru("decoder", WIDTH, UNITS)
    weights.dense("letters", 2 * UNITS, LETTERS)
    return weights.arrays
