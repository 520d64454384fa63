"""Convolution and pooling kernels."""

from __future__ import annotations

from typing import Any

from kbackend.plugin.geometry import same_pairs
from kbackend_numpy import convolution as engine


def convolution(
    x: Any, kernel: Any, bias: Any = None, *, strides: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    if padding == "same":
        padding = same_pairs(x.shape[1:-1], kernel.shape[:-2], strides, dilation)
    y = engine.convolution(x, kernel, strides=strides, padding=padding, dilation=dilation, groups=groups)
    return y if bias is None else y + bias


def _pooling_padding(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    return same_pairs(x.shape[1:-1], window, strides, (1,) * len(window)) if padding == "same" else padding


def max_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return engine.max_pool(x, window=window, strides=strides, padding=_pooling_padding(x, window, strides, padding))


def avg_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    return engine.avg_pool(x, window=window, strides=strides, padding=_pooling_padding(x, window, strides, padding))


KERNELS = {"convolution": convolution, "max_pool": max_pool, "avg_pool": avg_pool}
