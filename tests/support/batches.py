"""Data that processes of a test import too."""

import os

import numpy as np

from kbackend.utils import PyDataset

RNG = np.random.default_rng(3)
X = RNG.normal(size=(70, 4)).astype(np.float32)
Y = (X[:, :1] - 2 * X[:, 1:2] + 0.1).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2, 70).astype(np.float32)
SIZE = 16
STEPS = 5


def batch(index, *arrays):
    return tuple(a[index * SIZE : (index + 1) * SIZE] for a in arrays)


class Numbered(PyDataset):
    """The batches of X and Y."""

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        return batch(index, X, Y)


class Processes(Numbered):
    """Weights that tell the process that made the batch: 0 in the one given."""

    def __init__(self, process):
        self.process = process

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x, y, np.full(len(x), os.getpid() != self.process, np.float32)


class Ending(Numbered):
    """A dataset whose fourth batch ends the process that makes it, or raises there."""

    def __init__(self, process, ending=True):
        self.process, self.ending = process, ending

    def __getitem__(self, index):
        if index == 3 and os.getpid() != self.process:
            if self.ending:
                os._exit(3)
            raise ZeroDivisionError("in a worker")
        return super().__getitem__(index)
