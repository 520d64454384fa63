"""Shape kernels, as own autograd primitives where those of autograd take more steps or change dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp, defvjp_argnums

from kbackend_numpy.kernels.indexing.getitem import take_slice
from kbackend_numpy.recording import primitive


def shape(x: Any) -> Any:
    return np.array(x.shape, np.int32)


def extent(x: Any, axes: tuple[int, ...]) -> Any:
    dims = x.shape
    result = 1
    for axis in axes:
        result *= dims[axis]
    return np.array(result, np.int32)


def _pattern(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape with each None replaced by the next size."""
    rest = iter(sizes)
    return tuple(int(next(rest)) if d is None else d for d in shape)


@primitive
def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    return np.reshape(x, shape)


defvjp(reshape, lambda ans, x, shape: lambda g: reshape(g, x.shape), argnums=(0,))


def reshape_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return reshape(x, _pattern(shape, sizes))


@primitive
def permute_dimensions(x: Any, pattern: tuple[int, ...]) -> Any:
    return x.transpose(pattern)


def _permute_vjp(ans: Any, x: Any, pattern: tuple[int, ...]) -> Any:
    back = tuple(sorted(range(len(pattern)), key=pattern.__getitem__))
    return lambda g: permute_dimensions(g, back)


defvjp(permute_dimensions, _permute_vjp, argnums=(0,))


def expand_dims(x: Any, axis: int) -> Any:
    dims = x.shape
    return reshape(x, (*dims[:axis], 1, *dims[axis:]))


def squeeze(x: Any, axis: int) -> Any:
    dims = x.shape
    if dims[axis] != 1:
        raise ValueError(f"squeeze: axis {axis} has size {dims[axis]}, only a dimension of 1 can be removed")
    return reshape(x, (*dims[:axis], *dims[axis + 1 :]))


@primitive
def reverse(x: Any, axes: tuple[int, ...]) -> Any:
    return np.flip(x, axes)


defvjp(reverse, lambda ans, x, axes: lambda g: reverse(g, axes), argnums=(0,))


# ---------------------------------------------------------------------- joining, splitting


@primitive
def _join(axis: int, *tensors: Any) -> Any:
    return np.concatenate(tensors, axis=axis)


def _join_vjp(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
    axis, tensors = args[0], args[1:]
    ends = np.cumsum([t.shape[axis] for t in tensors]).tolist()
    before = (slice(None),) * axis

    def vjp(g: Any) -> Any:
        return tuple(
            take_slice(g, (*before, slice(ends[n - 2] if n > 1 else 0, ends[n - 1])))
            for n in argnums
        )

    return vjp


defvjp_argnums(_join, _join_vjp)


def concatenate(tensors: tuple[Any, ...], axis: int) -> Any:
    return _join(axis, *tensors)


concatenate.untaped = np.concatenate  # type: ignore[attr-defined]


@primitive
def _pile(axis: int, *tensors: Any) -> Any:
    return np.stack(tensors, axis=axis)


def _pile_vjp(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
    before = (slice(None),) * args[0]
    return lambda g: tuple(take_slice(g, (*before, n - 1)) for n in argnums)


defvjp_argnums(_pile, _pile_vjp)


def stack(x: tuple[Any, ...], axis: int) -> Any:
    return _pile(axis, *x)


stack.untaped = np.stack  # type: ignore[attr-defined]


def unstack(x: Any, axis: int) -> tuple[Any, ...]:
    before = (slice(None),) * axis
    return tuple(take_slice(x, (*before, i)) for i in range(x.shape[axis]))


def split(x: Any, sizes: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    before = (slice(None),) * axis
    begin, parts = 0, []
    for size in sizes:
        parts.append(take_slice(x, (*before, slice(begin, begin + size))))
        begin += size
    if begin != x.shape[axis]:
        raise ValueError(f"split: the parts {sizes} do not fit axis {axis} of size {x.shape[axis]}")
    return tuple(parts)


# ---------------------------------------------------------------------- repeating, padding


@primitive
def _summed(x: Any, axes: tuple[int, ...]) -> Any:
    return np.sum(x, axis=axes, dtype=x.dtype)


def _summed_vjp(ans: Any, x: Any, axes: tuple[int, ...]) -> Any:
    dims = x.shape
    kept = tuple(1 if i in axes else d for i, d in enumerate(dims))
    return lambda g: _broadcast(reshape(g, kept), dims)


defvjp(_summed, _summed_vjp, argnums=(0,))


@primitive
def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, shape)


def _broadcast_vjp(ans: Any, x: Any, shape: tuple[int, ...]) -> Any:
    dims = x.shape
    front = len(shape) - len(dims)
    axes = (*range(front), *(front + i for i, d in enumerate(dims) if d == 1 and shape[front + i] != 1))
    return lambda g: reshape(_summed(g, axes), dims)


defvjp(_broadcast, _broadcast_vjp, argnums=(0,))


def broadcast_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return _broadcast(x, _pattern(shape, sizes))


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    dims = x.shape
    spread = (*dims[: axis + 1], rep, *dims[axis + 1 :])
    return reshape(
        _broadcast(reshape(x, (*dims[: axis + 1], 1, *dims[axis + 1 :])), spread),
        (*dims[:axis], dims[axis] * rep, *dims[axis + 1 :]),
    )


def tile(x: Any, sizes: tuple[Any, ...], n: tuple[int | None, ...]) -> Any:
    counts = _pattern(n, sizes)
    dims = x.shape
    thin = tuple(d for pair in ((1, d) for d in dims) for d in pair)
    wide = tuple(d for pair in zip(counts, dims, strict=True) for d in pair)
    return reshape(
        _broadcast(reshape(x, thin), wide), tuple(c * d for c, d in zip(counts, dims, strict=True))
    )


@primitive
def pad(x: Any, padding: tuple[tuple[int, int], ...], value: float) -> Any:
    return np.pad(x, padding, constant_values=value) if padding else np.array(x)


def _pad_vjp(ans: Any, x: Any, padding: Any, value: Any) -> Any:
    index = tuple(slice(a, a + d) for (a, _), d in zip(padding, x.shape, strict=True))
    return lambda g: take_slice(g, index)


defvjp(pad, _pad_vjp, argnums=(0,))


KERNELS: dict[str, Any] = {
    "shape": shape,
    "extent": extent,
    "reshape": reshape,
    "reshape_to": reshape_to,
    "permute_dimensions": permute_dimensions,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "reverse": reverse,
    "concatenate": concatenate,
    "stack": stack,
    "unstack": unstack,
    "split": split,
    "broadcast_to": broadcast_to,
    "repeat_elements": repeat_elements,
    "tile": tile,
    "pad": pad,
}
