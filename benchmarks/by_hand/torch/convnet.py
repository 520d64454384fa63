"""The convnet in PyTorch."""

from __future__ import annotations

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill, fill_linear, softmax
from benchmarks.workloads.data import Data


class Convnet(nn.Module):
    """Takes NHWC images and works in channels_last memory, so that neither end copies."""

    def __init__(self, kernel: int, filters: tuple[int, int], flat: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, filters[0], kernel)
        self.second = nn.Conv2d(filters[0], filters[1], kernel)
        self.classes = nn.Linear(flat, classes)

    def forward(self, images: Tensor) -> Tensor:
        # The pool comes before relu: the two commute, and relu then sees a quarter of the numbers.
        maps = F.relu(F.max_pool2d(self.first(images.permute(0, 3, 1, 2)), 2))
        maps = F.relu(F.max_pool2d(self.second(maps), 2))
        return self.classes(maps.permute(0, 2, 3, 1).flatten(1))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Convnet(workload.KERNEL, workload.FILTERS, workload.FLAT, workload.CLASSES)
    network = network.to(memory_format=torch.channels_last)
    for name, conv in (("first", network.first), ("second", network.second)):
        fill(conv.weight, weights[f"{name}/kernel"].transpose(3, 2, 0, 1))
        fill(conv.bias, weights[f"{name}/bias"])
    fill_linear(network.classes, weights["classes/kernel"], weights["classes/bias"])
    return TorchProgram(network, F.cross_entropy, softmax, data, batch, variant)
