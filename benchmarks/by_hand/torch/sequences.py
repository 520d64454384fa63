"""Parts that the networks of sequences of unequal lengths share in PyTorch."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import fill
from benchmarks.workloads.data import Data

IGNORED = -100


def marked(workload: ModuleType, data: Data) -> Data:
    """The data with targets that the loss leaves out where the mask does."""
    targets = np.where(workload.counted(data.inputs), data.targets, np.int32(IGNORED))
    return Data(data.inputs, targets)


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over all steps that count."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def packed(rows: Tensor, tokens: Tensor) -> nn.utils.rnn.PackedSequence:
    """Sequences that end at the first token 0."""
    return nn.utils.rnn.pack_padded_sequence(rows, (tokens != 0).sum(1), batch_first=True, enforce_sorted=False)


def unpacked(rows: nn.utils.rnn.PackedSequence, steps: int) -> Tensor:
    return nn.utils.rnn.pad_packed_sequence(rows, batch_first=True, total_length=steps)[0]


def fill_gru(gru: nn.GRU, weights: dict[str, np.ndarray], name: str) -> None:
    """From gates z, r, h to r, z, n."""

    def reordered(array: np.ndarray) -> np.ndarray:
        update, reset, new = np.split(array, 3, -1)
        return np.concatenate((reset, update, new), -1)

    fill(gru.weight_ih_l0, reordered(weights[f"{name}/kernel"]).T)
    fill(gru.weight_hh_l0, reordered(weights[f"{name}/recurrent"]).T)
    bias = reordered(weights[f"{name}/bias"])
    fill(gru.bias_ih_l0, bias[0])
    fill(gru.bias_hh_l0, bias[1])


def probabilities(logits: Tensor) -> Tensor:
    return torch.softmax(logits, -1)
