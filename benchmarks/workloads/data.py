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
