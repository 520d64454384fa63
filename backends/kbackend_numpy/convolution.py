"""Convolution and its transpose on channels-last NumPy arrays, differentiable to any order.

A convolution is bilinear, and so are its gradients with respect to input and kernel. Each of the three functions is an
`autograd` primitive whose vector-Jacobian products are the other two. Computation is in the dtype of the operands,
except that float16 is computed in float32.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from autograd.extend import defvjp
from numpy.lib.stride_tricks import as_strided

from kbackend_numpy.pooling import avg_pool, max_pool
from kbackend_numpy.recording import primitive

__all__ = ["avg_pool", "convolution", "convolution_transpose", "max_pool"]

Pairs = Sequence[tuple[int, int]]

# Patches are unfolded in blocks of images of about this many bytes, which fit the caches of the processor.
UNFOLDED_BYTES = 5 << 20
# With fewer channels the contiguous runs of an unfolded row are short, and copying one column for each tap is faster.
FEW_CHANNELS = 4


class Geometry(NamedTuple):
    """The sizes of a convolution in the forward direction."""

    spatial: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]
    groups: int

    @property
    def padded(self) -> tuple[int, ...]:
        return tuple(n + lo + hi for n, (lo, hi) in zip(self.spatial, self.padding, strict=True))

    @property
    def is_matmul(self) -> bool:
        unit = (1,) * len(self.kernel)
        return self.kernel == unit and self.strides == unit and self.spatial == self.out

    def tap(self, offsets: tuple[int, ...]) -> tuple[slice, ...]:
        """The slices of the padded input that one kernel position is multiplied with."""
        starts = [offset * step for offset, step in zip(offsets, self.dilation, strict=True)]
        return tuple(
            slice(start, start + (count - 1) * stride + 1, stride)
            for start, count, stride in zip(starts, self.out, self.strides, strict=True)
        )


def convolution(
    x: Any,
    kernel: Any,
    *,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int = 1,
) -> Any:
    """Cross-correlation of `x` with `kernel`, over 1 to 3 spatial axes.

    x: (batch, *spatial, channels); kernel: (*window, channels // groups, filters), floating. `padding` holds
    a (before, after) pair for each axis. Returns (batch, *out, filters) in the dtype of the operands. Raises a
    ValueError for sizes that do not fit.

    >>> x = np.arange(5.0).reshape(1, 5, 1)
    >>> convolution(x, np.ones((3, 1, 1)), strides=(2,), padding=((1, 0),), dilation=(1,)).ravel()
    array([1., 6.])
    """
    geometry = _geometry(x.shape[1:-1], kernel.shape[:-2], strides, padding, dilation, groups)
    _check_channels(x.shape, kernel.shape, groups)
    return _forward(x, kernel, geometry)


def convolution_transpose(
    x: Any,
    kernel: Any,
    *,
    output_spatial: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
) -> Any:
    """The gradient of a `convolution` with these arguments with respect to its input.

    x: (batch, *spatial, channels); kernel: (*window, filters, channels). `padding` is that of the
    convolution that maps (batch, *output_spatial, filters) to the shape of x. Returns
    (batch, *output_spatial, filters) in the dtype of the operands.

    >>> x = np.ones((1, 2, 1))
    >>> convolution_transpose(x, np.ones((3, 1, 1)), output_spatial=(4,), strides=(2,), padding=((0, 1),),
    ...                       dilation=(1,)).ravel()
    array([1., 1., 2., 1.])
    """
    geometry = _geometry(output_spatial, kernel.shape[:-2], strides, padding, dilation, 1)
    if geometry.out != tuple(x.shape[1:-1]):
        raise ValueError(
            f"convolution_transpose: a convolution of spatial size {geometry.spatial} gives {geometry.out}, "
            f"but x of shape {tuple(x.shape)} has {tuple(x.shape[1:-1])}"
        )
    if kernel.shape[-1] != x.shape[-1]:
        raise ValueError(
            f"convolution_transpose: x of shape {tuple(x.shape)} has {x.shape[-1]} channels, "
            f"the last axis of the kernel of shape {tuple(kernel.shape)} has {kernel.shape[-1]}"
        )
    return _input_gradient(x, kernel, geometry)


def _geometry(
    spatial: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Geometry:
    rank = len(spatial)
    if not 1 <= rank <= 3 or any(len(part) != rank for part in (kernel, strides, padding, dilation)):
        raise ValueError(
            f"convolution: spatial size {tuple(spatial)}, kernel {tuple(kernel)}, strides {tuple(strides)}, "
            f"padding {tuple(padding)} and dilation {tuple(dilation)} must all have one entry for each of "
            "1 to 3 spatial axes"
        )
    if min(*strides, *dilation, 1) < 1 or any(lo < 0 or hi < 0 for lo, hi in padding):
        raise ValueError(
            f"convolution: strides {tuple(strides)} and dilation {tuple(dilation)} must be at least 1, "
            f"padding {tuple(padding)} at least 0"
        )
    out = tuple(
        (n + lo + hi - (k - 1) * d - 1) // s + 1
        for n, k, s, (lo, hi), d in zip(spatial, kernel, strides, padding, dilation, strict=True)
    )
    if min(out) < 1:
        raise ValueError(
            f"convolution: a kernel of {tuple(kernel)} with dilation {tuple(dilation)} does not fit "
            f"spatial size {tuple(spatial)} with padding {tuple(padding)}"
        )
    pairs = tuple((lo, hi) for lo, hi in padding)
    return Geometry(tuple(spatial), tuple(kernel), tuple(strides), pairs, tuple(dilation), out, groups)


def _check_channels(x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], groups: int) -> None:
    if groups < 1 or x_shape[-1] != kernel_shape[-2] * groups or kernel_shape[-1] % groups:
        raise ValueError(
            f"convolution: x of shape {x_shape} and kernel of shape {kernel_shape} do not make {groups} "
            "groups: x needs kernel.shape[-2] * groups channels, and the filters must divide evenly"
        )


@primitive
def _forward(x: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    x, kernel, dtype = _wide(x, kernel)
    if geometry.groups == 1:
        y = _dense_forward(x, kernel, geometry)
    elif kernel.shape[-2] == 1:
        y = _depthwise_forward(x, kernel, geometry)
    else:
        pairs = zip(_split(x, geometry), _split(kernel, geometry), strict=True)
        y = np.concatenate([_dense_forward(part, taps, geometry) for part, taps in pairs], axis=-1)
    return y.astype(dtype, copy=False)


@primitive
def _input_gradient(g: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    g, kernel, dtype = _wide(g, kernel)
    if geometry.groups == 1:
        gx = _dense_input_gradient(g, kernel, geometry)
    elif kernel.shape[-2] == 1:
        gx = _depthwise_input_gradient(g, kernel, geometry)
    else:
        pairs = zip(_split(g, geometry), _split(kernel, geometry), strict=True)
        gx = np.concatenate([_dense_input_gradient(part, taps, geometry) for part, taps in pairs], axis=-1)
    return gx.astype(dtype, copy=False)


@primitive
def _kernel_gradient(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    x, g, dtype = _wide(x, g)
    if geometry.groups == 1:
        gk = _dense_kernel_gradient(x, g, geometry)
    elif x.shape[-1] == geometry.groups:
        gk = _depthwise_kernel_gradient(x, g, geometry)
    else:
        pairs = zip(_split(x, geometry), _split(g, geometry), strict=True)
        gk = np.concatenate([_dense_kernel_gradient(part, out, geometry) for part, out in pairs], axis=-1)
    return gk.astype(dtype, copy=False)


defvjp(
    _forward,
    lambda ans, x, kernel, geometry: lambda g: _input_gradient(g, kernel, geometry),
    lambda ans, x, kernel, geometry: lambda g: _kernel_gradient(x, g, geometry),
    argnums=(0, 1),
)
defvjp(
    _input_gradient,
    lambda ans, g, kernel, geometry: lambda c: _forward(c, kernel, geometry),
    lambda ans, g, kernel, geometry: lambda c: _kernel_gradient(c, g, geometry),
    argnums=(0, 1),
)
defvjp(
    _kernel_gradient,
    lambda ans, x, g, geometry: lambda c: _input_gradient(g, c, geometry),
    lambda ans, x, g, geometry: lambda c: _forward(x, c, geometry),
    argnums=(0, 1),
)


def _wide(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.dtype]:
    """Both operands in the dtype of computation, and the dtype of the result."""
    dtype = np.result_type(a, b)
    wide = np.promote_types(dtype, np.float32) if dtype == np.float16 else dtype
    return np.asarray(a, wide), np.asarray(b, wide), dtype


def _split(a: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    return np.split(a, geometry.groups, axis=-1)


def _pad(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    if geometry.padded == geometry.spatial:
        return x
    padded = np.zeros((x.shape[0], *geometry.padded, x.shape[-1]), x.dtype)
    padded[_inside(geometry)] = x
    return padded


def _inside(geometry: Geometry) -> tuple[slice, ...]:
    """The part of a padded input that is not padding."""
    return (
        slice(None),
        *(slice(lo, lo + n) for n, (lo, _) in zip(geometry.spatial, geometry.padding, strict=True)),
    )


def _chunks(batch: int, numbers_an_image: int, itemsize: int) -> list[slice]:
    size = max(1, UNFOLDED_BYTES // max(1, numbers_an_image * itemsize))
    return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]


class _Unfolder:
    """Copies the patches of a kernel to a matrix (positions, taps * channels), for a block of images at a time."""

    def __init__(self, x: np.ndarray, geometry: Geometry) -> None:
        x = _pad(x, geometry)
        rank, channels = len(geometry.out), x.shape[-1]
        along = x.strides[1:-1]
        self.patches = as_strided(
            x,
            (x.shape[0], *geometry.out, *geometry.kernel, channels),
            (
                x.strides[0],
                *(step * stride for step, stride in zip(along, geometry.strides, strict=True)),
                *(step * dilation for step, dilation in zip(along, geometry.dilation, strict=True)),
                x.strides[-1],
            ),
            writeable=False,
        )
        self.positions = math.prod(geometry.out)
        self.width = math.prod(geometry.kernel) * channels
        self.taps_first = channels < FEW_CHANNELS
        if self.taps_first:
            self.patches = self.patches.transpose(*range(rank + 1, 2 * rank + 2), *range(rank + 1))
        self.chunks = _chunks(x.shape[0], self.positions * self.width, x.itemsize)
        size = self.chunks[0].stop if self.chunks else 0
        self.buffer = np.empty(self.width * self.positions * size, x.dtype)

    def __call__(self, images: slice) -> np.ndarray:
        if self.taps_first:
            patches = self.patches[(..., images, *(slice(None),) * (self.patches.ndim // 2 - 1))]
        else:
            patches = self.patches[images]
        buffer = self.buffer[: patches.size]
        np.copyto(buffer.reshape(patches.shape), patches)
        return buffer.reshape(self.width, -1).T if self.taps_first else buffer.reshape(-1, self.width)


def _dense_forward(x: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    filters = kernel.shape[-1]
    weights = kernel.reshape(-1, filters)
    if geometry.is_matmul:
        return (x.reshape(-1, x.shape[-1]) @ weights).reshape(*x.shape[:-1], filters)
    unfold = _Unfolder(x, geometry)
    y = np.empty((x.shape[0], unfold.positions, filters), x.dtype)
    for images in unfold.chunks:
        np.matmul(unfold(images), weights, out=y[images].reshape(-1, filters))
    return y.reshape(x.shape[0], *geometry.out, filters)


def _dense_kernel_gradient(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    filters = g.shape[-1]
    shape = (*geometry.kernel, x.shape[-1], filters)
    if geometry.is_matmul:
        return (x.reshape(-1, x.shape[-1]).T @ g.reshape(-1, filters)).reshape(shape)
    unfold = _Unfolder(x, geometry)
    total = np.zeros((unfold.width, filters), x.dtype)
    for images in unfold.chunks:
        total += unfold(images).T @ g[images].reshape(-1, filters)
    return total.reshape(shape)


def _dense_input_gradient(g: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    batch, (channels, filters) = g.shape[0], kernel.shape[-2:]
    if geometry.is_matmul:
        weights = kernel.reshape(channels, filters)
        return (g.reshape(-1, filters) @ weights.T).reshape(*g.shape[:-1], channels)
    taps, positions = math.prod(geometry.kernel), math.prod(geometry.out)
    weights = np.ascontiguousarray(kernel.reshape(taps, channels, filters).swapaxes(1, 2))
    gx = np.zeros((batch, *geometry.padded, channels), g.dtype)
    for images in _chunks(batch, taps * positions * channels, g.itemsize):
        shares = g[images].reshape(-1, filters) @ weights
        shares = shares.reshape(taps, -1, *geometry.out, channels)
        part = gx[images]
        for share, offsets in zip(shares, np.ndindex(geometry.kernel), strict=True):
            met = part[(slice(None), *geometry.tap(offsets))]
            np.add(met, share, out=met)
    return gx[_inside(geometry)]


def _depthwise_forward(x: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    x = _pad(x, geometry)[..., None]
    taps = kernel.reshape(*geometry.kernel, geometry.groups, -1)
    y = np.zeros((x.shape[0], *geometry.out, *taps.shape[-2:]), x.dtype)
    for offsets in np.ndindex(geometry.kernel):
        y += x[(slice(None), *geometry.tap(offsets))] * taps[offsets]
    return y.reshape(x.shape[0], *geometry.out, kernel.shape[-1])


def _depthwise_input_gradient(g: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    taps = kernel.reshape(*geometry.kernel, geometry.groups, -1)
    g = g.reshape(*g.shape[:-1], *taps.shape[-2:])
    gx = np.zeros((g.shape[0], *geometry.padded, geometry.groups), g.dtype)
    for offsets in np.ndindex(geometry.kernel):
        gx[(slice(None), *geometry.tap(offsets))] += (g * taps[offsets]).sum(axis=-1)
    return gx[_inside(geometry)]


def _depthwise_kernel_gradient(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    x = _pad(x, geometry)[..., None]
    filters = g.shape[-1]
    g = g.reshape(*g.shape[:-1], geometry.groups, filters // geometry.groups)
    gk = np.empty((*geometry.kernel, 1, filters), g.dtype)
    for offsets in np.ndindex(geometry.kernel):
        products = x[(slice(None), *geometry.tap(offsets))] * g
        # Summed within images, then over images: one float32 sum over all positions would lose precision.
        products = products.reshape(g.shape[0], math.prod(geometry.out), filters)
        gk[offsets] = products.sum(axis=1).sum(axis=0)
    return gk
