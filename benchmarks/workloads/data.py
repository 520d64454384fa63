"""Digits for the workloads: real ones where the shared file is present, else drawn from a fixed seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHARED_FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist10k.npz"


@dataclass(frozen=True)
class Data:
    """Arrays of one workload: `inputs` has one array per input of the network, rows are samples."""

    inputs: tuple[np.ndarray, ...]
    targets: np.ndarray

    @property
    def samples(self) -> int:
        return len(self.targets)


def digits(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (samples, 28, 28) float32 in [0, 1] and labels (samples,) int32."""
    if SHARED_FILE.exists():
        with np.load(SHARED_FILE, allow_pickle=False) as file:
            images, labels = file["x_train"][:samples], file["y_train"][:samples]
        if len(images) == samples:
            return images.astype(np.float32) / np.float32(255), labels.astype(np.int32)
    return generated_digits(samples)


def generated_digits(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy copies of ten fixed blobs: shapes, dtypes and sparsity as the real digits have them."""
    random = np.random.default_rng(20)
    coarse = random.random((10, 7, 7)) < 0.25
    prototypes = coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)
    labels = random.integers(0, 10, samples).astype(np.int32)
    noise = random.random((samples, 28, 28), dtype=np.float32)
    return prototypes[labels] * (np.float32(0.5) + np.float32(0.5) * noise), labels


def large_digits(samples: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The digits at 64 by 64 pixels, each pixel of a frame of 32 by 32 doubled, in equal channels; and their labels."""
    images, labels = digits(samples)
    framed = np.pad(images, ((0, 0), (2, 2), (2, 2))).repeat(2, axis=1).repeat(2, axis=2)
    return np.ascontiguousarray(np.broadcast_to(framed[..., None], (*framed.shape, channels))), labels


def columns(samples: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns of the digits as tokens 1 to `levels` of their brightness, (samples, 28) int32, and the labels.

    Sequences have unequal lengths: blank columns at both sides are cut off, and 0 fills the end.
    """
    images, labels = digits(samples)
    brightness = images.mean(axis=1)
    tokens = 1 + np.minimum(brightness * 2 * levels, levels - 1).astype(np.int32)
    found = np.zeros_like(tokens)
    for row, (values, lit) in enumerate(zip(tokens, brightness > 0.02)):
        places = np.flatnonzero(lit)
        part = values[places[0] : places[-1] + 1] if len(places) else values[:1]
        found[row, : len(part)] = part
    return found, labels
