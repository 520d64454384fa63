"""The transformer encoder in PyTorch."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import TorchProgram, fill, fill_linear, softmax
from benchmarks.workloads.data import Data


class Block(nn.Module):
    """Self-attention with one product for query, key and value, then the feed-forward part; post-norm."""

    def __init__(self, width: int, heads: int, inner: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, epsilon)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.norm2 = nn.LayerNorm(width, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        parts = self.queries_keys_values(x).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = self.norm1(x + self.output(mixed.transpose(1, 2).reshape(batch, tokens, width)))
        return self.norm2(x + self.outer(F.relu(self.inner(x))))

    def fill(self, weights: dict[str, np.ndarray], prefix: str) -> None:
        width = self.output.in_features
        parts = [f"{prefix}/attention/{part}" for part in ("query", "key", "value")]
        kernel = np.concatenate([weights[f"{part}/kernel"].reshape(width, width) for part in parts], 1)
        bias = np.concatenate([weights[f"{part}/bias"].reshape(width) for part in parts])
        fill_linear(self.queries_keys_values, kernel, bias)
        output = f"{prefix}/attention/output"
        fill_linear(self.output, weights[f"{output}/kernel"].reshape(width, width), weights[f"{output}/bias"])
        for name, norm in (("norm1", self.norm1), ("norm2", self.norm2)):
            fill(norm.weight, weights[f"{prefix}/{name}/gamma"])
            fill(norm.bias, weights[f"{prefix}/{name}/beta"])
        for name, linear in (("inner", self.inner), ("outer", self.outer)):
            fill_linear(linear, weights[f"{prefix}/{name}/kernel"], weights[f"{prefix}/{name}/bias"])


class Encoder(nn.Module):
    def __init__(self, workload: ModuleType) -> None:
        super().__init__()
        self.tokens = nn.Embedding(workload.VOCABULARY, workload.WIDTH)
        sizes = workload.WIDTH, workload.HEADS, workload.INNER, workload.EPSILON
        self.blocks = nn.Sequential(*(Block(*sizes) for _ in range(workload.BLOCKS)))
        self.classes = nn.Linear(workload.WIDTH, workload.CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.classes(self.blocks(self.tokens(tokens)).mean(1))


def build(workload: ModuleType, data: Data, batch: int, variant: str) -> TorchProgram:
    weights = workload.initial_weights()
    network = Encoder(workload)
    fill(network.tokens.weight, weights["tokens/table"])
    for number, block in enumerate(network.blocks):
        block.fill(weights, f"block{number}")
    fill_linear(network.classes, weights["classes/kernel"], weights["classes/bias"])
    return TorchProgram(network, F.cross_entropy, softmax, data, batch, variant)
