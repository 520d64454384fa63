"""Shape kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import pad as torch_pad

from kbackend.plugin.contract import Specialized


def shape(x: Any) -> Any:
    return torch.tensor(x.shape, dtype=torch.int32, device=x.device)


def extent(x: Any, axes: tuple[int, ...]) -> Any:
    # On the CPU, so that reading it does not synchronize; a CPU scalar can be combined with tensors of any device.
    dims = x.shape
    result = 1
    for axis in axes:
        result *= dims[axis]
    return torch.tensor(result, dtype=torch.int32)


def pattern(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape with each None replaced by the next size."""
    rest = iter(sizes)
    return tuple(int(next(rest)) if d is None else d for d in shape)


def reshape_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return x.reshape(pattern(shape, sizes))


def permute_dimensions(x: Any, pattern: tuple[int, ...]) -> Any:
    return x.permute(pattern)


def squeeze(x: Any, axis: int) -> Any:
    if x.shape[axis] != 1:
        raise ValueError(
            f"squeeze: axis {axis} has size {x.shape[axis]}, only a dimension of 1 can be removed"
        )
    return x.squeeze(axis)


def reverse(x: Any, axes: tuple[int, ...]) -> Any:
    return torch.flip(x, axes)


def stack(x: tuple[Any, ...], axis: int) -> Any:
    return torch.stack(x, axis)


def concatenate(tensors: tuple[Any, ...], axis: int) -> Any:
    return torch.cat(tensors, axis)


def split(x: Any, sizes: tuple[int, ...], axis: int) -> Any:
    return torch.split_with_sizes(x, sizes, axis)


def broadcast_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return x.expand(pattern(shape, sizes))


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    return torch.repeat_interleave(x, rep, axis)


def tile(x: Any, sizes: tuple[Any, ...], n: tuple[int | None, ...]) -> Any:
    return x.repeat(pattern(n, sizes))


def _pad(specs: Any, padding: tuple[tuple[int, int], ...], value: float) -> Any:
    flat = [n for pair in reversed(padding) for n in pair]
    return lambda x: torch_pad(x, flat, value=value)


KERNELS: dict[str, Any] = {
    "shape": shape,
    "extent": extent,
    "reshape": torch.reshape,
    "reshape_to": reshape_to,
    "permute_dimensions": permute_dimensions,
    "expand_dims": lambda x, axis: x.unsqueeze(axis),
    "squeeze": squeeze,
    "reverse": reverse,
    "concatenate": concatenate,
    "stack": stack,
    "unstack": lambda x, axis: x.unbind(axis),
    "split": split,
    "broadcast_to": broadcast_to,
    "repeat_elements": repeat_elements,
    "tile": tile,
    "pad": Specialized(_pad),
}
