"""Parts that the networks of images share in PyTorch."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from benchmarks.by_hand.torch.loop import fill

Weights = dict[str, np.ndarray]


def fill_conv(conv: nn.Conv2d, weights: Weights, name: str) -> None:
    """From a kernel (rows, columns, in, out), or (rows, columns, channels, 1) of a depthwise convolution."""
    kernel = weights[f"{name}/kernel"]
    fill(conv.weight, kernel.transpose((2, 3, 0, 1) if conv.groups > 1 else (3, 2, 0, 1)))
    if conv.bias is not None:
        fill(conv.bias, weights[f"{name}/bias"])


def fill_norm(norm: nn.BatchNorm2d, weights: Weights, name: str) -> None:
    fill(norm.weight, weights[f"{name}/gamma"])
    fill(norm.bias, weights[f"{name}/beta"])


class ConvNorm(nn.Sequential):
    """A convolution without bias and a batch normalization."""

    def __init__(
        self, width_in: int, width: int, size: int, stride: int, settings: tuple[float, float], groups: int = 1
    ) -> None:
        momentum, epsilon = settings
        conv = nn.Conv2d(width_in, width, size, stride, size // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(width, epsilon, 1 - momentum))

    def fill(self, weights: Weights, name: str) -> None:
        fill_conv(self[0], weights, name)
        fill_norm(self[1], weights, f"{name}_norm")


def channels_first(images: Tensor) -> Tensor:
    """NHWC images as a channels_last tensor, without a copy."""
    return images.permute(0, 3, 1, 2)
