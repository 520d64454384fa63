"""Convolution and pooling kernels.

Torch takes channels first. A channels-last tensor with permuted axes has what torch calls the channels_last memory
format, so that neither the operand nor the result, permuted back, is copied.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Specialized
from kbackend.plugin.geometry import same_pairs, window_counts

_CONVOLUTIONS = (None, F.conv1d, F.conv2d, F.conv3d)
_MAX_POOLS = (None, F.max_pool1d, F.max_pool2d, F.max_pool3d)
_AVG_POOLS = (None, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)
#: with fewer channels, oneDNN's gradient of a 1x1 kernel with strides writes past its memory (jit_avx2_1x1, as torch
#: 2.13 has it): the positions that the strides reach are taken out before
LANES = 8


def orders(rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Permutations of x to channels first, of the result to channels last, and of a kernel to filters first."""
    axes = tuple(range(rank))
    return (0, rank + 1, *(a + 1 for a in axes)), (0, *(a + 2 for a in axes), 1), (rank + 1, rank, *axes)


def _flat(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Padding pairs of the spatial axes of a channels-last tensor in the order of F.pad, the last axis first."""
    return [0, 0] + [n for pair in reversed(pairs) for n in pair]


def _symmetric(pairs: Sequence[tuple[int, int]]) -> bool:
    return all(lo == hi for lo, hi in pairs)


def plain_memory(x: Any) -> Any:
    """``x``, channels first, in torch's usual order of memory, by the strides of a single channel too.

    In channels_last, which torch takes a single channel for, oneDNN (torch 2.13, AVX-512) reads past the memory of an
    image of one channel where strides leave one position of the window along the last dimension.
    """
    x = x.contiguous()
    return x.squeeze(1).unsqueeze(1) if x.shape[1] == 1 else x


def _is_thin(x: Sequence[int | None], kernel: Sequence[int | None]) -> bool:
    """Whether the shapes are, or may be, those of few channels and a window of one."""
    return (x[-1] is None or x[-1] < LANES) and all(k in (1, None) for k in kernel[:-2])


def _convolution(specs: Any, *, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    rank = len(strides)
    to_first, back, of_kernel = orders(rank)
    run = _CONVOLUTIONS[rank]
    one_filter = specs[1].shape[-1] in (1, None)
    sliced = (slice(None), *(slice(None, None, s) for s in strides))
    ones = (1,) * rank
    thin = max(strides) > 1 and _is_thin(*(s.shape for s in specs[:2]))
    narrow = strides[-1] > 1 and specs[0].shape[-1] in (1, None)
    apart = max(strides) > 1 and max(dilation) > 1  # oneDNN ends the process where windows see padding alone

    def turned(kernel: Any) -> Any:
        taps = kernel.permute(of_kernel)
        return taps.contiguous() if one_filter else taps  # torch fails on the layout of the gradient of one filter

    def carefully(x: Any, kernel: Any, bias: Any, inner: Any) -> Any:
        if thin and not any(inner) and _is_thin(x.shape, kernel.shape):
            return run(x[sliced].permute(to_first), turned(kernel), bias, ones, inner, dilation, groups).permute(back)
        first, taps = x.permute(to_first), turned(kernel)
        if narrow and x.shape[-1] == 1 and one_position(x, kernel, inner):
            first, taps = plain_memory(first), plain_memory(taps)
        return run(first, taps, bias, strides, inner, dilation, groups).permute(back)

    def one_position(x: Any, kernel: Any, inner: Any) -> bool:
        """Whether the window has one position along the last spatial dimension."""
        return x.shape[-2] + 2 * inner[-1] - (kernel.shape[-3] - 1) * dilation[-1] - 1 < strides[-1]

    def with_pairs(x: Any, kernel: Any, bias: Any, pairs: Any) -> Any:
        inner = [lo for lo, _ in pairs]
        if apart or not _symmetric(pairs):
            x, inner = F.pad(x, _flat(pairs)), [0] * rank
        return carefully(x, kernel, bias, inner)

    if padding == "same":
        sizes, window = specs[0].shape[1:-1], specs[1].shape[:-2]
        if None in sizes or None in window:
            return lambda x, kernel, bias=None: with_pairs(
                x, kernel, bias, same_pairs(x.shape[1:-1], kernel.shape[:-2], strides, dilation)
            )
        padding = same_pairs(sizes, window, strides, dilation)
    if apart or not _symmetric(padding):
        return lambda x, kernel, bias=None: with_pairs(x, kernel, bias, padding)
    inner = [lo for lo, _ in padding]
    if thin or narrow:
        return lambda x, kernel, bias=None: carefully(x, kernel, bias, inner)

    def plain(x: Any, kernel: Any, bias: Any = None) -> Any:
        return run(x.permute(to_first), turned(kernel), bias, strides, inner, dilation, groups).permute(back)

    return plain


def _max_pool(specs: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    rank = len(window)
    to_first, back, _ = orders(rank)
    run = _MAX_POOLS[rank]

    def with_pairs(x: Any, pairs: Any) -> Any:
        inner = [lo for lo, _ in pairs]
        if not _symmetric(pairs) or any(2 * lo > k for lo, k in zip(inner, window)):
            x, inner = F.pad(x, _flat(pairs), value=-math.inf), [0] * rank
        return run(x.permute(to_first), window, strides, inner).permute(back)

    return _padded_pool(specs, with_pairs, window, strides, padding)


def _avg_pool(specs: Any, *, window: Any, strides: Any, padding: Any) -> Any:
    rank = len(window)
    to_first, back, _ = orders(rank)
    run = _AVG_POOLS[rank]
    if rank == 3 and specs[0].dtype in ("float16", "bfloat16"):  # torch has no kernel of these dtypes
        spec = TensorSpec(specs[0].shape, "float32")
        wide = _avg_pool([spec], window=window, strides=strides, padding=padding)
        return lambda x: wide(x.float()).to(x.dtype)

    def with_pairs(x: Any, pairs: Any) -> Any:
        inner = [lo for lo, _ in pairs]
        small = rank == 3 and any(n < k for n, k in zip(x.shape[1:-1], window))  # refused by avg_pool3d's gradient
        if not small and _symmetric(pairs) and all(2 * lo <= k for lo, k in zip(inner, window)):
            return run(x.permute(to_first), window, strides, inner, False, False).permute(back)
        padded = F.pad(x, _flat(pairs))
        y = run(padded.permute(to_first), window, strides).permute(back)
        return y * _corrections(x, y.shape, window, strides, pairs)

    return _padded_pool(specs, with_pairs, window, strides, padding)


def _corrections(x: Any, shape: Any, window: Any, strides: Any, pairs: Any) -> Any:
    """The size of the window divided by the number of its elements that are not padding, at each position."""
    result = torch.ones((), dtype=x.dtype)
    for axis, (k, s, pair) in enumerate(zip(window, strides, pairs), start=1):
        counts = window_counts(x.shape[axis], k, s, pair, shape[axis])
        result = result * torch.from_numpy(k / counts).to(x.dtype).view(-1, *(1,) * (len(shape) - 1 - axis))
    return result.to(x.device, non_blocking=True)


def _padded_pool(specs: Any, with_pairs: Any, window: Any, strides: Any, padding: Any) -> Any:
    if padding != "same":
        return lambda x: with_pairs(x, padding)
    sizes, ones = specs[0].shape[1:-1], (1,) * len(window)
    if None in sizes:
        return lambda x: with_pairs(x, same_pairs(x.shape[1:-1], window, strides, ones))
    pairs = same_pairs(sizes, window, strides, ones)
    return lambda x: with_pairs(x, pairs)


def filters_first(rank: int) -> tuple[int, ...]:
    """The memory order (filters, taps, channels) of a kernel (taps, channels, filters), channels_last of torch."""
    return (rank - 1, *range(rank - 1))


KERNELS = {
    "convolution": Specialized(_convolution, memory={1: filters_first}),
    "max_pool": Specialized(_max_pool),
    "avg_pool": Specialized(_avg_pool),
}
