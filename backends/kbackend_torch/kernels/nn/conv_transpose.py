"""The kernel of transposed convolution, with channels first as in conv.py."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from kbackend.plugin.contract import Specialized
from kbackend.plugin.geometry import axes_of
from kbackend_torch.kernels.nn.conv import LANES, orders, plain_memory

_TRANSPOSES = (None, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
Cuts = tuple[tuple[int, int], ...]


def _convolution_transpose(
    specs: Any, *, size: Any, batch: int | None, strides: Any, padding: Any, dilation: Any
) -> Any:
    rank = len(strides)
    to_first, back, of_kernel = orders(rank)
    axes = axes_of(specs[1].shape[:-2], strides, padding, dilation)
    run = _TRANSPOSES[rank]
    one_channel = specs[1].shape[-1] in (1, None)
    thin = max(strides) > 1 and all(axis.window == 1 for axis in axes)
    narrow = strides[-1] > 1 and specs[1].shape[-2] in (1, None)
    ones = (1,) * rank

    def layout(positions: Any, wanted: Any) -> tuple[list[int], list[int], Cuts]:
        """Torch's paddings and output paddings, and the (axis, start) of each crop of its result."""
        inner, outer, cuts = [], [], []
        for number, (axis, count, n) in enumerate(zip(axes, positions, wanted)):
            before, after = axis.pads(count, n)
            both = min(before, after)
            more = n + before + both - axis.covered(count)  # elements outside all windows; negative: to be cropped
            inner.append(both)
            outer.append(max(more, 0))
            if before > both or more < 0:
                cuts.append((number + 1, before - both))
        return inner, outer, tuple(cuts)

    def transpose(x: Any, kernel: Any, wanted: Any, found: Any) -> Any:
        inner, outer, cuts = found
        first, taps = x.permute(to_first), kernel.permute(of_kernel)
        if narrow and taps.shape[1] == 1 and x.shape[-2] == 1:
            first, taps = plain_memory(first), plain_memory(taps)
        if one_channel:
            taps = taps.contiguous()  # see conv.py
        if thin and taps.shape[1] < LANES and not any(inner):  # see conv.py
            y = _spread(run(first, taps, None, ones).permute(back), strides, outer)
        else:
            y = run(first, taps, None, strides, inner, outer, 1, dilation).permute(back)
        for axis, start in cuts:
            y = y.narrow(axis, start, wanted[axis - 1])
        return y

    positions = specs[0].shape[1:-1]
    if None not in size and None not in positions and None not in (specs[0].shape[0], batch):
        found = layout(positions, size)
        return lambda x, kernel, sizes=(): transpose(x, kernel, size, found)

    def convolution_transpose(x: Any, kernel: Any, sizes: Any = ()) -> Any:
        if batch not in (None, x.shape[0]):
            raise ValueError(f"convolution_transpose: the batch is {x.shape[0]}, {batch} is expected")
        rest = iter(sizes)
        wanted = [int(next(rest)) if n is None else n for n in size]
        return transpose(x, kernel, wanted, layout(x.shape[1:-1], wanted))

    return convolution_transpose


def _spread(y: Any, strides: Any, outer: Any) -> Any:
    """Zeros with ``y`` at each stride, and ``outer`` of them behind the last."""
    reached = [(n - 1) * s + 1 for n, s in zip(y.shape[1:], strides)]
    whole = y.new_zeros((y.shape[0], *(n + more for n, more in zip(reached, outer)), y.shape[-1]))
    whole[(slice(None), *(slice(None, n, s) for n, s in zip(reached, strides)))] = y
    return whole


KERNELS = {"convolution_transpose": Specialized(_convolution_transpose)}
