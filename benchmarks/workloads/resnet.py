"""ResNet-18 at 64 by 64 pixels: a stem, four stages of two residual blocks, ten classes; padded as its authors do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.workloads.data import Data, large_digits
from benchmarks.workloads.initial import Weights

SIZE, CHANNELS, WIDTHS, BLOCKS, CLASSES = 64, 3, (64, 128, 256, 512), 2, 10
MOMENTUM, EPSILON = 0.9, 1e-5
SMALL = {"WIDTHS": (8, 8, 16, 16)}
#: rounding grows through 18 normalizations and Adam's steps, which do not shrink with the gradients: programs of equal
#: formulas were 3e-3 apart after five steps
STEPS_TOLERANCE = 1e-2
LOSS = "sparse_categorical_crossentropy"


class Block(NamedTuple):
    """A block: two convolutions of 3 by 3 beside a shortcut, which is a convolution of 1 by 1 where sizes change."""

    name: str
    width_in: int
    width: int
    stride: int

    @property
    def projected(self) -> bool:
        return self.stride > 1 or self.width_in != self.width


def blocks() -> Iterator[Block]:
    width_in = WIDTHS[0]
    for stage, width in enumerate(WIDTHS):
        for number in range(BLOCKS):
            yield Block(f"stage{stage}_{number}", width_in, width, 2 if stage and not number else 1)
            width_in = width


def data(samples: int) -> Data:
    images, labels = large_digits(samples, CHANNELS)
    return Data((images,), labels)


def initial_weights() -> dict[str, np.ndarray]:
    weights = Weights()
    weights.plain_conv("stem", 7, CHANNELS, WIDTHS[0])
    weights.batch_norm("stem_norm", WIDTHS[0])
    for block in blocks():
        weights.plain_conv(f"{block.name}_first", 3, block.width_in, block.width)
        weights.batch_norm(f"{block.name}_first_norm", block.width)
        weights.plain_conv(f"{block.name}_second", 3, block.width, block.width)
        weights.batch_norm(f"{block.name}_second_norm", block.width)
        if block.projected:
            weights.plain_conv(f"{block.name}_short", 1, block.width_in, block.width)
            weights.batch_norm(f"{block.name}_short_norm", block.width)
    weights.dense("classes", WIDTHS[-1], CLASSES)
    return weights.arrays
