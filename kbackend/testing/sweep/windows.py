"""Calls of convolution, its transpose, pooling and normalization, drawn from all that they take in small sizes."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from kbackend.declare.sample import In, Sample
from kbackend.plugin.geometry import Axis

Drawn = tuple[str, Sample]
#: float32 more often, since it has kernels that float64 does not
_DTYPES = ("float32", "float32", "float32", "float64")
_NARROW = ("float16", "bfloat16")
#: terms of a sum in 16 bits; engines may round partial sums
_FEW = 100


def _sample(rng: random.Random, key: str, *args: Any, **options: Any) -> Drawn:
    return key, Sample(args=args, kwargs=options, dtypes=(rng.choice(_DTYPES),))


def _positive(*shape: int) -> In:
    """Sums of products of these do not cancel, so that the bound on errors is that of rounding."""
    return In(shape, 0.25, 2.0)


def _each(rng: random.Random, rank: int, low: int, high: int, ones: float) -> tuple[int, ...]:
    """A number for each dimension, often the same, and with a probability of ``ones`` all of them 1."""
    if rng.random() < ones:
        return (1,) * rank
    found = tuple(rng.randint(low, high) for _ in range(rank))
    return (found[0],) * rank if rng.random() < 0.5 else found


def _window(rng: random.Random, largest: int = 7) -> tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A number of dimensions, and window, strides and dilation in them."""
    rank = rng.choice((2, 2, 2, 1, 3))
    window = _each(rng, rank, 1, min(largest, 3) if rank == 3 else largest, 0.35)
    return rank, window, _each(rng, rank, 1, 4, 0.3), _each(rng, rank, 1, 3, 0.6)


def _sizes(rng: random.Random, least: list[int], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes from the least ones on, more often than not multiples of the strides."""
    grown = [max(n, 1) + rng.randint(0, 8) for n in least]
    whole = rng.random() < 0.6
    return tuple(-(-n // s) * s if whole else n for n, s in zip(grown, strides))


def _pairs(rng: random.Random, window: tuple[int, ...], most: int) -> Any:
    kind = rng.random()
    if kind < 0.35:
        return "valid"
    if kind < 0.6:
        return "same"
    pairs = tuple((rng.randint(0, most), rng.randint(0, most)) for _ in window)
    return tuple((lo, lo) for lo, _ in pairs) if rng.random() < 0.5 else pairs


def _channels(rng: random.Random, most: int) -> int:
    """Up to the numbers that fill a vector register, and fewer more often: those are a case of their own in kernels."""
    return rng.randint(1, rng.choice((7, most)) if most > 7 else most)


def convolution(rng: random.Random) -> Drawn:
    rank, window, strides, dilation = _window(rng)
    padding = _pairs(rng, window, 3)
    pads = padding if isinstance(padding, tuple) else ((0, 0),) * rank
    least = [(k - 1) * d + 1 - lo - hi for k, d, (lo, hi) in zip(window, dilation, pads)]
    sizes = _sizes(rng, [1] * rank if padding == "same" else least, strides)
    groups = rng.choice((1, 1, 1, 1, 1, 1, 2, 3, 4))
    inputs = 1 if groups > 1 and rng.random() < 0.3 else _channels(rng, 16 // groups)
    filters = groups * _channels(rng, 16 // groups)
    bias = [_positive(filters)] if rng.random() < 0.5 else []
    x, kernel = _positive(rng.choice((1, 2, 3, 8)), *sizes, groups * inputs), _positive(*window, inputs, filters)
    return _sample(rng, "convolution", x, kernel, *bias, strides=strides, padding=padding, dilation=dilation,
                   groups=groups)  # fmt: skip


def convolution_transpose(rng: random.Random) -> Drawn:
    rank, window, strides, dilation = _window(rng)
    padding = _pairs(rng, window, 2)
    pairs: Any = [None] * rank if padding == "same" else padding if padding != "valid" else ((0, 0),) * rank
    axes = [Axis(*parts) for parts in zip(window, strides, dilation, pairs)]
    positions, size = zip(*[_positions(rng, axis) for axis in axes])
    channels, filters = _channels(rng, 16), _channels(rng, 16)
    return _sample(rng, "convolution_transpose", _positive(rng.choice((1, 2, 8)), *positions, channels),
                   _positive(*window, filters, channels), size=size, strides=strides, padding=padding,
                   dilation=dilation)  # fmt: skip


def _positions(rng: random.Random, axis: Axis) -> tuple[int, int]:
    """Positions along one dimension, and a size that the convolution takes to so many."""
    for positions in range(rng.randint(1, 8), 100):
        least = (positions - 1) * axis.stride + 1 if axis.pair is None else axis.covered(positions) - sum(axis.pair)
        if least >= 1:
            return positions, least + rng.randint(0, axis.stride - 1)
    raise AssertionError(f"no size for {axis}")


def pooling(rng: random.Random) -> Drawn:
    rank, window, strides, _ = _window(rng, 5)
    padding = _pairs(rng, window, 4)
    if isinstance(padding, tuple):  # a window of padding alone is refused
        padding = tuple((min(lo, k - 1), min(hi, k - 1)) for (lo, hi), k in zip(padding, window))
    sizes = _sizes(rng, list(window) if padding != "same" else [1] * rank, strides)
    x = In((rng.choice((1, 2, 8)), *sizes, rng.randint(1, 16)), 0.25, 2.0, distinct=True)
    key = rng.choice(("max_pool", "avg_pool"))
    return _sample(rng, key, x, window=window, strides=strides, padding=padding)


def normalization(rng: random.Random) -> Drawn:
    shape = tuple(rng.randint(1, 9) for _ in range(rng.randint(1, 4))) + (rng.randint(1, 16),)
    x, rank = In(shape), len(shape)
    kind = rng.choice(("batch", "layer", "rms", "group", "given"))
    if kind == "layer" or kind == "rms":
        axes = tuple(sorted(rng.sample(range(rank), rng.randint(1, rank - 1)))) if rng.random() < 0.5 else (rank - 1,)
        weights = [In(tuple(shape[a] for a in axes)) if rng.random() < 0.6 else None for _ in range(2)]
        key = "layer_normalization" if kind == "layer" else "rms_normalization"
        return _sample(rng, key, x, *weights[: 2 if kind == "layer" else 1], axis=axes, epsilon=1e-2)
    channels = [In((shape[-1],)) if rng.random() < 0.6 else None for _ in range(2)]
    if kind == "group":
        groups = rng.choice([n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0])
        return _sample(rng, "K.group_normalization", x, *channels, groups=groups, epsilon=1e-2)
    if kind == "given":
        statistics = [In((shape[-1],)), In((shape[-1],), 0.5, 2.0)]
        return _sample(rng, "batch_normalization", x, *statistics, *channels, epsilon=1e-2)
    axis = rng.randrange(rank)
    kept = [In((shape[axis],)) if rng.random() < 0.6 else None for _ in range(2)]
    return _sample(rng, "normalize_batch_in_training", x, *kept, tuple(a for a in range(rank) if a != axis),
                   epsilon=1e-2)  # fmt: skip


def narrow(rng: random.Random) -> Drawn:
    """A window in 16 bits, where sums are short; some engines have no kernels for that on some processors."""
    draw = rng.choice((convolution, convolution_transpose, pooling))
    while True:
        key, sample = draw(rng)
        kernel = sample.args[1].shape if len(sample.args) > 1 else (1,)
        if math.prod(kernel) // min(kernel[-2:]) < _FEW and key != "max_pool":
            return key, replace(sample, dtypes=(rng.choice(_NARROW),))


__all__ = ["convolution", "convolution_transpose", "narrow", "normalization", "pooling"]
