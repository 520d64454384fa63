"""ResNet-18 in PyTorch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.images import ConvNorm, Weights, channels_first
from benchmarks.by_hand.torch.loop import TorchProgram, fill_linear, softmax
from benchmarks.workloads.data import Data


class Residual(nn.Module):
    def __init__(self, block: Any, settings: tuple[float, float]) -> None:
        super().__init__()
        self.first = ConvNorm(block.width_in, block.width, 3, block.stride, settings)
        self.second = ConvNorm(block.width, block.width, 3, 1, settings)
        self.short = ConvNorm(block.width_in, block.width, 1, block.stride, settings) if block.projected else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(y.add_(x if self.short is None else self.short(x)), inplace=True)

    def fill(self, weights: Weights, name: str) -> None:
        for part in ("first", "second", "short"):
            conv = getattr(self, part)
            if conv is not None:
                conv.fill(weights, f"{name}_{part}")


class ResNet(nn.Module):
    def __init__(self, workload: ModuleType) -> None:
        super().__init__()
        settings = workload.MOMENTUM, workload.EPSILON
        self.stem = ConvNorm(workload.CHANNELS, workload.WIDTHS[0], 7, 2, settings)
        self.blocks = nn.Sequential(*(Residual(block, settings) for block in workload.blocks()))
        self.classes = nn.Linear(workload.WIDTHS[-1], workload.CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        # The pool comes before relu: the two commute, and relu then sees a quarter of the numbers.
        x = F.relu(F.max_pool2d(self.stem(channels_first(images)), 3, 2, 1), inplace=True)
        return self.classes(self.blocks(x).mean((2, 3)))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = ResNet(workload).to(memory_format=torch.channels_last)
    network.stem.fill(weights, "stem")
    for block, module in zip(workload.blocks(), network.blocks, strict=True):
        module.fill(weights, block.name)
    fill_linear(network.classes, weights["classes/kernel"], weights["classes/bias"])
    return TorchProgram(network, F.cross_entropy, softmax, data, batch, variant)
