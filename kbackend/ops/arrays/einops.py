"""Rearrangement of axes by patterns of einops; depth to space and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.ops.arrays.dims import length, times
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.arguments import as_tensor, integer

Group = list[str]
#: the name of '...' in parentheses, which joins all other axes
_JOINED_DOTS = "(...)"


def _parsed(side: str, pattern: str) -> list[Group]:
    """A group of names for each dimension; '1' and '()' are empty groups, '...' is a name."""
    groups: list[Group] = []
    inside: Group | None = None
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(inside)
            inside = None
        elif token in "()" or not (token.isidentifier() or token in ("1", "...")):
            raise ValueError(f"rearrange: {token!r} is misplaced in the pattern {pattern!r}")
        elif inside is not None:
            inside.extend([] if token == "1" else [_JOINED_DOTS if token == "..." else token])
        else:
            groups.append([] if token == "1" else [token])
    if inside is not None:
        raise ValueError(f"rearrange: a parenthesis is not closed in the pattern {pattern!r}")
    return groups


def _sides(pattern: str) -> tuple[list[Group], list[Group]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: the pattern {pattern!r} needs one '->'")
    left, right = (_parsed(s, pattern) for s in sides)
    names = [["..." if n == _JOINED_DOTS else n for g in side for n in g] for side in (left, right)]
    if any(len(set(n)) != len(n) for n in names) or set(names[0]) != set(names[1]):
        raise ValueError(f"rearrange: the pattern {pattern!r} must name each axis once on both sides")
    if any(_JOINED_DOTS in g for g in left):
        raise ValueError(f"rearrange: '...' cannot be in parentheses on the left of {pattern!r}")
    return left, right


def _without_dots(side: list[Group], dots: Group) -> list[Group]:
    """A side of the pattern with names of its own for the axes of '...'."""
    groups: list[Group] = []
    for group in side:
        if group == ["..."]:
            groups.extend([name] for name in dots)
        else:
            groups.append([n for name in group for n in (dots if name == _JOINED_DOTS else [name])])
    return groups


def _axis_sizes(x: Any, left: list[Group], given: dict[str, int], pattern: str) -> dict[str, Any]:
    """The size of each name on the left, an integer or an integer scalar."""
    sizes: dict[str, Any] = {}
    for axis, group in enumerate(left):
        size = length(x, axis)
        missing = [n for n in group if n not in given]
        known = int(np.prod([given[n] for n in group if n in given], dtype=int))
        if len(missing) > 1:
            raise ValueError(f"rearrange: give the sizes of all but one of {group} in {pattern!r}")
        if isinstance(size, int) and (known == 0 or size % known or not missing and size != known):
            raise ValueError(f"rearrange: axis {axis} of size {size} is not {group or 1} with {given} in {pattern!r}")
        for name in group:
            sizes[name] = given.get(name)
        if missing:
            sizes[missing[0]] = size if known == 1 else size // known
    return sizes


@derived(samples=lambda: [
    call(In((2, 3, 4)), "a b c -> c (a b)"), call(In((2, 6)), "a (b c) -> b a c", b=2),
    call(In((2, 3, 4)), "a ... -> ... 1 a", name="dots"), call(In((1, 3)), "1 a -> a ()", dynamic=False, name="ones"),
    call(In((2, 3)), "a b -> a", raises=ValueError, name="lost axis"),
    call(In((2, 3)), "a (b c) -> a b c", raises=ValueError, name="unknown size"),
    call(In((2, 3)), "a -> a", raises=ValueError, name="rank")])
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Any:
    """Split, reorder and join axes by a pattern of einops.

    Args:
        tensor: a tensor of any dtype, of any shape.
        pattern: names of the axes before and after ``->``. Parentheses join axes, ``...`` is all other axes, ``1`` is a
            dimension of 1.
        **axes_lengths: sizes of names in parentheses; one name of each pair of parentheses may be left out.

    Raises:
        ValueError: an invalid pattern, or one that does not fit the shape.

    Source: Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation", ICLR 2022.

    >>> from kbackend import K
    >>> from kbackend.ops import rearrange
    >>> K.int_shape(rearrange(K.placeholder((None, 4, 6)), "n (h a) w -> n h (w a)", a=2))
    (None, 2, 12)
    """
    x = as_tensor(tensor)
    left, right = _sides(pattern)
    named = {name for group in left for name in group}
    if not set(axes_lengths) <= named:
        raise ValueError(f"rearrange: the pattern {pattern!r} has no {sorted(set(axes_lengths) - named)}")
    if "..." in named:
        dots = [f".{i}" for i in range(len(x.shape) - len(left) + 1)]
        left, right = _without_dots(left, dots), _without_dots(right, dots)
    if len(left) != len(x.shape):
        raise ValueError(f"rearrange: the pattern {pattern!r} does not fit the shape {tuple(x.shape)}")
    sizes = _axis_sizes(x, left, {k: integer(v, f"the size of {k}") for k, v in axes_lengths.items()}, pattern)
    before = [name for group in left for name in group]
    after = [name for group in right for name in group]
    if any(len(group) != 1 for group in left):
        x = reshape(x, [sizes[name] for name in before])
    if before != after:
        x = permute_dimensions(x, [before.index(name) for name in after])
    if any(len(group) != 1 for group in right):
        x = reshape(x, [_joined(group, sizes) for group in right])
    return x


def _joined(group: Group, sizes: dict[str, Any]) -> Any:
    total: Any = 1
    for name in group:
        total = times(total, sizes[name])
    return total


def _blocks(x: Any, block_size: Any, data_format: str) -> tuple[Any, int, bool]:
    x = as_tensor(x)
    block = integer(block_size, "the size of a block")
    if len(x.shape) != 4:
        raise ValueError(f"images of rank 4 are needed, the shape is {tuple(x.shape)}")
    if block < 2:
        raise ValueError(f"the size of a block must be 2 or more, it is {block}")
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"the data format must be 'channels_first' or 'channels_last', it is {data_format!r}")
    return x, block, data_format == "channels_first"


@derived(samples=lambda: [
    call(In((2, 2, 3, 8)), 2), call(In((2, 8, 2, 1)), 2, "channels_first"),
    call(In((2, 2, 3, 6)), 2, raises=ValueError, name="channels"), call(In((2, 3)), 2, raises=ValueError, name="rank")])
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Move blocks of channels to pixels: ``(n, h, w, b*b*c)`` becomes ``(n, h*b, w*b, c)``.

    Args:
        x: images, a tensor of rank 4.
        block_size: the side ``b`` of a block, 2 or more.
        data_format: 'channels_last' or 'channels_first'. In both the channels are ordered as (row in the block, column
            in the block, channel).

    Raises:
        ValueError: another rank, a number of channels that ``b*b`` does not divide, or another data format.

    >>> from kbackend import K
    >>> from kbackend.ops import depth_to_space
    >>> K.int_shape(depth_to_space(K.placeholder((None, 2, 3, 8)), 2))
    (None, 4, 6, 2)
    """
    x, b, first = _blocks(x, block_size, data_format)
    pattern = "n (a b c) h w -> n c (h a) (w b)" if first else "n h w (a b c) -> n (h a) (w b) c"
    return rearrange(x, pattern, a=b, b=b)


@derived(samples=lambda: [
    call(In((2, 4, 6, 2)), 2), call(In((2, 1, 3, 6)), 3, "channels_first"),
    call(In((2, 3, 4, 1)), 2, raises=ValueError, name="pixels"),
    call(In((2, 4, 4, 1)), 1, raises=ValueError, name="block")])
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Move blocks of pixels to channels: ``(n, h*b, w*b, c)`` becomes ``(n, h, w, b*b*c)``.

    The inverse of :func:`depth_to_space`.

    Args:
        x: images, a tensor of rank 4.
        block_size: the side ``b`` of a block, 2 or more.
        data_format: 'channels_last' or 'channels_first'; the channels are ordered as there.

    Raises:
        ValueError: another rank, sizes that ``b`` does not divide, or another data format.

    >>> from kbackend import K
    >>> from kbackend.ops import space_to_depth
    >>> K.int_shape(space_to_depth(K.placeholder((None, 4, 6, 2)), 2))
    (None, 2, 3, 8)
    """
    x, b, first = _blocks(x, block_size, data_format)
    pattern = "n c (h a) (w b) -> n (a b c) h w" if first else "n (h a) (w b) c -> n h w (a b c)"
    return rearrange(x, pattern, a=b, b=b)


__all__ = ["depth_to_space", "rearrange", "space_to_depth"]
