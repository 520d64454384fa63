"""Arrays of random numbers from a seed."""

import numpy as np


def rows(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers in float32."""
    return np.random.RandomState(seed).randn(*shape).astype("float32")


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers in float64, others for each shape."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def values(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Uniform numbers in float64, from -1 to 1."""
    return np.random.RandomState(seed).uniform(-1, 1, shape)
