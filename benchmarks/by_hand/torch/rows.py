"""Rows of ten numbers in PyTorch."""

from __future__ import annotations

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill_linear
from benchmarks.workloads.data import Data


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    hidden, score = nn.Linear(workload.FEATURES, workload.HIDDEN), nn.Linear(workload.HIDDEN, 1)
    fill_linear(hidden, weights["hidden/kernel"], weights["hidden/bias"])
    fill_linear(score, weights["score/kernel"], weights["score/bias"])
    network = nn.Sequential(hidden, nn.ReLU(), score)
    return TorchProgram(network, F.binary_cross_entropy_with_logits, torch.sigmoid, data, batch, variant)
