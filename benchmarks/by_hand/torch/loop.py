"""The training loop that the torch programs share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.workloads.data import Data

Loss = Callable[[Tensor, Tensor], Tensor]


class TorchProgram:
    """A module trained with fused Adam; `finish` turns its outputs (logits) into what `predict` returns.

    The data is shared with NumPy, a batch is one `index_select` per array, and `item()` is the one sync.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        finish: Callable[[Tensor], Tensor],
        data: Data,
        batch: int,
        variant: str,
    ) -> None:
        self.network, self.finish, self.batch = network, finish, batch
        self.inputs = [torch.from_numpy(array) for array in data.inputs]
        self.targets = torch.from_numpy(data.targets)
        if self.targets.dtype == torch.int32:
            self.targets = self.targets.long()
        self.shared_target = any(array is data.targets for array in data.inputs)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)

        def forward_loss(inputs: list[Tensor], targets: Tensor) -> Tensor:
            return loss(network(*inputs), targets)

        self.forward_loss = torch.compile(forward_loss) if variant == "compile" else forward_loss
        self.answer = torch.compile(network) if variant == "compile" else network
        network.eval()

    def train(self, epochs: int, rows: int | None = None) -> list[float]:
        self.network.train()
        losses = []
        for _ in range(epochs):
            for index in torch.randperm(rows or len(self.targets)).split(self.batch):
                inputs = [array.index_select(0, index) for array in self.inputs]
                targets = inputs[0] if self.shared_target else self.targets.index_select(0, index)
                losses.append(self.step(inputs, targets))
        self.network.eval()
        return losses

    def step(self, inputs: list[Tensor], targets: Tensor) -> float:
        loss = self.forward_loss(inputs, targets)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item()

    def on_batch(self, inputs: tuple[np.ndarray, ...], targets: np.ndarray) -> float:
        """One step on arrays of the host."""
        self.network.train()
        return self.step([torch.from_numpy(array) for array in inputs], torch.from_numpy(targets))

    @torch.inference_mode()
    def predict(self, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        return self.finish(self.answer(*map(torch.from_numpy, inputs))).numpy()

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)


def fill(parameter: Tensor, array: np.ndarray) -> None:
    """Set a parameter's value, keeping its memory format."""
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(array))


def fill_linear(linear: nn.Linear, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Set a linear layer from a kernel (in, out)."""
    fill(linear.weight, kernel.T)
    fill(linear.bias, bias)


def softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, -1)
