"""The kernel of transposed convolution."""

from __future__ import annotations

from typing import Any

from kbackend.plugin.geometry import axes_of
from kbackend_numpy import convolution as engine


def convolution_transpose(
    x: Any,
    kernel: Any,
    sizes: Any = (),
    *,
    size: Any,
    batch: int | None,
    strides: Any,
    padding: Any,
    dilation: Any,
) -> Any:
    if batch not in (None, x.shape[0]):
        raise ValueError(f"convolution_transpose: the batch is {x.shape[0]}, {batch} is expected")
    rest = iter(sizes)
    spatial = [int(next(rest)) if n is None else n for n in size]
    axes = axes_of(kernel.shape[:-2], strides, padding, dilation)
    pads = [axis.pads(*counts) for axis, *counts in zip(axes, x.shape[1:-1], spatial)]
    return engine.convolution_transpose(
        x, kernel, output_spatial=spatial, strides=strides, padding=pads, dilation=dilation
    )


KERNELS = {"convolution_transpose": convolution_transpose}
