"""EfficientNet-style blocks at 32 by 32 pixels: expanded, depthwise, squeezed and excited, projected; ten classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.workloads.data import Data, digits
from benchmarks.workloads.initial import Weights

SIZE, STEM, HEAD, CLASSES = 32, 16, 128, 10
#: width, stride, size of the depthwise kernel
STAGES = ((16, 1, 3), (24, 2, 3), (24, 1, 3), (40, 2, 5), (40, 1, 5))
EXPANSION, SQUEEZE = 4, 4
MOMENTUM, EPSILON = 0.9, 1e-3
LOSS = "sparse_categorical_crossentropy"


class Block(NamedTuple):
    """A block; a stride of 1 and equal widths add its input to its result."""

    name: str
    width_in: int
    width: int
    stride: int
    size: int

    @property
    def inner(self) -> int:
        return EXPANSION * self.width_in

    @property
    def squeezed(self) -> int:
        return self.width_in // SQUEEZE

    @property
    def residual(self) -> bool:
        return self.stride == 1 and self.width_in == self.width


def blocks() -> Iterator[Block]:
    width_in = STEM
    for number, (width, stride, size) in enumerate(STAGES):
        yield Block(f"block{number}", width_in, width, stride, size)
        width_in = width


def data(samples: int) -> Data:
    images, labels = digits(samples)
    return Data((np.pad(images, ((0, 0), (2, 2), (2, 2)))[..., None],), labels)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.plain_conv("stem", 3, 1, STEM)
    weights.batch_norm("stem_norm", STEM)
    for block in blocks():
        weights.plain_conv(f"{block.name}_expand", 1, block.width_in, block.inner)
        weights.batch_norm(f"{block.name}_expand_norm", block.inner)
        weights.depthwise(f"{block.name}_depthwise", block.size, block.inner)
        weights.batch_norm(f"{block.name}_depthwise_norm", block.inner)
        weights.conv(f"{block.name}_squeeze", 1, block.inner, block.squeezed)
        weights.conv(f"{block.name}_excite", 1, block.squeezed, block.inner)
        weights.plain_conv(f"{block.name}_project", 1, block.inner, block.width)
        weights.batch_norm(f"{block.name}_project_norm", block.width)
    weights.plain_conv("head", 1, STAGES[-1][0], HEAD)
    weights.batch_norm("head_norm", HEAD)
    weights.dense("classes", HEAD, CLASSES)
    return weights.arrays
