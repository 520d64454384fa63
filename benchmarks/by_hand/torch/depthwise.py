"""The EfficientNet-style blocks in PyTorch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.images import ConvNorm, Weights, channels_first, fill_conv
from benchmarks.by_hand.torch.loop import TorchProgram, fill_linear, softmax
from benchmarks.workloads.data import Data


class Inverted(nn.Module):
    def __init__(self, block: Any, settings: tuple[float, float]) -> None:
        super().__init__()
        inner, self.residual = block.inner, block.residual
        self.expand = ConvNorm(block.width_in, inner, 1, 1, settings)
        self.depthwise = ConvNorm(inner, inner, block.size, block.stride, settings, groups=inner)
        self.squeeze = nn.Conv2d(inner, block.squeezed, 1)
        self.excite = nn.Conv2d(block.squeezed, inner, 1)
        self.project = ConvNorm(inner, block.width, 1, 1, settings)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.depthwise(F.silu(self.expand(x))))
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        y = self.project(y * gate)
        return x + y if self.residual else y

    def fill(self, weights: Weights, name: str) -> None:
        for part in ("expand", "depthwise", "project"):
            getattr(self, part).fill(weights, f"{name}_{part}")
        for part in ("squeeze", "excite"):
            fill_conv(getattr(self, part), weights, f"{name}_{part}")


class Blocks(nn.Module):
    def __init__(self, workload: ModuleType) -> None:
        super().__init__()
        settings, last = (workload.MOMENTUM, workload.EPSILON), workload.STAGES[-1][0]
        self.stem = ConvNorm(1, workload.STEM, 3, 2, settings)
        self.blocks = nn.Sequential(*(Inverted(block, settings) for block in workload.blocks()))
        self.head = ConvNorm(last, workload.HEAD, 1, 1, settings)
        self.classes = nn.Linear(workload.HEAD, workload.CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(F.silu(self.stem(channels_first(images))))
        return self.classes(F.silu(self.head(x)).mean((2, 3)))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Blocks(workload).to(memory_format=torch.channels_last)
    network.stem.fill(weights, "stem")
    network.head.fill(weights, "head")
    for block, module in zip(workload.blocks(), network.blocks, strict=True):
        module.fill(weights, block.name)
    fill_linear(network.classes, weights["classes/kernel"], weights["classes/bias"])
    return TorchProgram(network, F.cross_entropy, softmax, data, batch, variant)
