"""The autoencoder in PyTorch."""

from __future__ import annotations

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill_linear
from benchmarks.workloads.data import Data


class Autoencoder(nn.Module):
    def __init__(self, pixels: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.encoder = nn.Linear(pixels, hidden)
        self.decoder = nn.Linear(hidden, pixels)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            # On CPU a compare of uniforms takes half the time of F.dropout's Bernoulli draws.
            kept = torch.rand_like(images) >= self.rate
            images = images * kept * (1 / (1 - self.rate))
        return self.decoder(F.relu(self.encoder(images)))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Autoencoder(workload.PIXELS, workload.HIDDEN, workload.RATE)
    fill_linear(network.encoder, weights["encoder/kernel"], weights["encoder/bias"])
    fill_linear(network.decoder, weights["decoder/kernel"], weights["decoder/bias"])
    return TorchProgram(network, F.binary_cross_entropy_with_logits, torch.sigmoid, data, batch, variant)
