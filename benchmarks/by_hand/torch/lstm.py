"""The two LSTM branches in PyTorch."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill, fill_linear, softmax
from benchmarks.workloads.data import Data


class TwoBranches(nn.Module):
    def __init__(self, features: int, units: int, classes: int) -> None:
        super().__init__()
        self.upper = nn.LSTM(features, units, batch_first=True)
        self.lower = nn.LSTM(features, units, batch_first=True)
        self.classes = nn.Linear(2 * units, classes)

    def forward(self, upper: Tensor, lower: Tensor) -> Tensor:
        _, (last_upper, _) = self.upper(upper)
        _, (last_lower, _) = self.lower(lower)
        return self.classes(torch.cat((last_upper[0], last_lower[0]), 1))


def fill_lstm(lstm: nn.LSTM, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> None:
    """The network has one bias, so cuDNN's second one stays at zero, untrained."""
    fill(lstm.weight_ih_l0, kernel.T)
    fill(lstm.weight_hh_l0, recurrent.T)
    fill(lstm.bias_ih_l0, bias)
    fill(lstm.bias_hh_l0, np.zeros_like(bias))
    lstm.bias_hh_l0.requires_grad_(False)


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = TwoBranches(workload.FEATURES, workload.UNITS, workload.CLASSES)
    for name, branch in (("upper", network.upper), ("lower", network.lower)):
        fill_lstm(branch, weights[f"{name}/kernel"], weights[f"{name}/recurrent"], weights[f"{name}/bias"])
    fill_linear(network.classes, weights["classes/kernel"], weights["classes/bias"])
    return TorchProgram(network, F.cross_entropy, softmax, data, batch, variant)
