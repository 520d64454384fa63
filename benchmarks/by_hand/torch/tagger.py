"""The tagger in PyTorch, on packed sequences."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill, fill_linear
from benchmarks.by_hand.torch.sequences import loss, marked, packed, probabilities, unpacked
from benchmarks.workloads.data import Data


class Tagger(nn.Module):
    def __init__(self, workload: ModuleType) -> None:
        super().__init__()
        self.tokens = nn.Embedding(workload.LEVELS + 1, workload.WIDTH)
        self.both = nn.LSTM(workload.WIDTH, workload.UNITS, batch_first=True, bidirectional=True)
        self.tags = nn.Linear(2 * workload.UNITS, workload.TAGS)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.both(packed(self.tokens(tokens), tokens))
        return self.tags(unpacked(states, tokens.shape[1]))


def fill_both(lstm: nn.LSTM, weights: dict[str, np.ndarray]) -> None:
    """The network has one bias a direction, so cuDNN's second one stays at zero, untrained."""
    for way, suffix in (("forward", ""), ("backward", "_reverse")):
        fill(getattr(lstm, f"weight_ih_l0{suffix}"), weights[f"both/{way}/kernel"].T)
        fill(getattr(lstm, f"weight_hh_l0{suffix}"), weights[f"both/{way}/recurrent"].T)
        fill(getattr(lstm, f"bias_ih_l0{suffix}"), weights[f"both/{way}/bias"])
        second = getattr(lstm, f"bias_hh_l0{suffix}")
        fill(second, np.zeros(second.shape, np.float32))
        second.requires_grad_(False)


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Tagger(workload)
    fill(network.tokens.weight, weights["tokens/table"])
    fill_both(network.both, weights)
    fill_linear(network.tags, weights["tags/kernel"], weights["tags/bias"])
    return TorchProgram(network, loss, probabilities, marked(workload, data), batch, variant)
