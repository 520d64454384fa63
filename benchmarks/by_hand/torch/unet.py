"""The U-Net in PyTorch."""

from __future__ import annotations

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.images import Weights, channels_first, fill_conv
from benchmarks.by_hand.torch.loop import TorchProgram, fill
from benchmarks.workloads.data import Data


class Twice(nn.Module):
    def __init__(self, width: int, filters: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, filters, 3, padding=1)
        self.second = nn.Conv2d(filters, filters, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x), inplace=True)), inplace=True)

    def fill(self, weights: Weights, name: str) -> None:
        fill_conv(self.first, weights, f"{name}_first")
        fill_conv(self.second, weights, f"{name}_second")


class UNet(nn.Module):
    def __init__(self, filters: tuple[int, ...], bottom: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(Twice(w, f) for w, f in zip((1, *filters), filters))
        self.bottom = Twice(filters[-1], bottom)
        self.wide = nn.ModuleList(nn.ConvTranspose2d(w, f, 2, 2) for f, w in zip(filters, (*filters[1:], bottom)))
        self.up = nn.ModuleList(Twice(2 * f, f) for f in filters)
        self.pixels = nn.Conv2d(filters[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        x, skipped = channels_first(images), []
        for twice in self.down:
            x = twice(x)
            skipped.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat((skipped[level], self.wide[level](x)), 1))
        return self.pixels(x).permute(0, 2, 3, 1)


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = UNet(workload.FILTERS, workload.BOTTOM).to(memory_format=torch.channels_last)
    network.bottom.fill(weights, "bottom")
    fill_conv(network.pixels, weights, "pixels")
    for level, (down, wide, up) in enumerate(zip(network.down, network.wide, network.up)):
        down.fill(weights, f"down{level}")
        up.fill(weights, f"up{level}")
        fill(wide.weight, weights[f"up{level}_wide/kernel"].transpose(3, 2, 0, 1))
        fill(wide.bias, weights[f"up{level}_wide/bias"])
    return TorchProgram(
        network, F.binary_cross_entropy_with_logits, torch.sigmoid, data, batch, variant
    )
