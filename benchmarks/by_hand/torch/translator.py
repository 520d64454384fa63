"""The translator in PyTorch: the encoder reads packed sequences, attention leaves their filling out."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill, fill_linear
from benchmarks.by_hand.torch.sequences import fill_gru, loss, marked, packed, probabilities, unpacked
from benchmarks.workloads.data import Data


class Translator(nn.Module):
    def __init__(self, workload: ModuleType) -> None:
        super().__init__()
        self.columns = nn.Embedding(workload.LEVELS + 1, workload.WIDTH)
        self.encoder = nn.GRU(workload.WIDTH, workload.UNITS, batch_first=True)
        self.given = nn.Embedding(workload.LETTERS, workload.WIDTH)
        self.decoder = nn.GRU(workload.WIDTH, workload.UNITS, batch_first=True)
        self.letters = nn.Linear(2 * workload.UNITS, workload.LETTERS)

    def forward(self, columns: Tensor, given: Tensor) -> Tensor:
        states, last = self.encoder(packed(self.columns(columns), columns))
        read = unpacked(states, columns.shape[1])
        written, _ = self.decoder(self.given(given), last)
        scores = torch.bmm(written, read.mT).masked_fill_((columns == 0)[:, None], -torch.inf)
        return self.letters(torch.cat((written, torch.bmm(torch.softmax(scores, -1), read)), 2))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Translator(workload)
    fill(network.columns.weight, weights["columns/table"])
    fill(network.given.weight, weights["given/table"])
    for name in ("encoder", "decoder"):
        fill_gru(getattr(network, name), weights, name)
    fill_linear(network.letters, weights["letters/kernel"], weights["letters/bias"])
    return TorchProgram(network, loss, probabilities, marked(workload, data), batch, variant)
