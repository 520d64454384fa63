"""Joining, splitting, repeating and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import config
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.reshaping import expand_dims, rank_of
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import axis_in, canonical_axis, merge
from kbackend.ops.sizes import check_sizes, entries, split_entries


def _listed(tensors: Any, what: str) -> Sequence[Any]:
    """A list of tensors in which numbers have become arrays, so that it is not taken for one tensor."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{what} needs a list of tensors, not {tensors!r}")
    if not tensors:
        raise TypeError(f"{what} needs a non-empty list of tensors")
    if any(isinstance(t, Tensor) for t in tensors):
        return tensors
    return [to_numpy(t) if isinstance(t, (bool, int, float, list, tuple)) else t for t in tensors]


def _prepare_join(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim)}


@primitive(
    name="concatenate",
    prepare=_prepare_join,
    promote="same",
    tolerance="moving",
    samples=lambda: [
        call([In((2, 3)), In((2, 1))]),
        call([In((2, 3)), In((1, 3)), In((0, 3))], 0, dynamic=False),
        call([In((2, 3))], name="one"),
        call([In((2, 1, 3)), In((2, 2, 3))], -2),
        call([In((2, 3)), In((2, 3))], 2, name="axis", raises=ValueError),
        call([In((2, 3)), In((3, 2))], 0, name="shapes", raises=ValueError),
    ],
)
def _concatenate(tensors: TensorList, axis: int = -1) -> TensorSpec:
    """Tensors put one after the other along an axis."""
    first = tensors[0]
    rest = tuple(d for i, d in enumerate(first.shape) if i != axis)
    total: int | None = 0
    for t in tensors:
        if t.ndim != first.ndim:
            raise ValueError(f"all tensors must have the same rank, they have {[s.ndim for s in tensors]}")
        try:
            rest = merge(rest, tuple(d for i, d in enumerate(t.shape) if i != axis))
        except ValueError:
            shapes = ", ".join(str(s.shape) for s in tensors)
            raise ValueError(f"the shapes {shapes} differ outside axis {axis}") from None
        total = None if total is None or t.shape[axis] is None else total + t.shape[axis]
    return TensorSpec((*rest[:axis], total, *rest[axis:]), first.dtype)


@derived(
    samples=lambda: [
        call([In((2, 3)), In((2, 1))]),
        call([In((2, 3)), In((2, 3))], axis=0, dynamic=False),
        call([In((2,), 0, 9, kind="int32"), In((2,))], name="promotion"),
        call([], name="none", raises=TypeError),
    ]
)
def concatenate(tensors: TensorList, axis: int = -1) -> Any:
    """Tensors put one after the other along an axis.

    Args:
        tensors: a list of tensors of one rank whose shapes differ along ``axis`` at most. Sparse tensors give a sparse
            one.
        axis: the axis.

    Raises:
        ValueError: ranks or other dimensions differ.

    >>> from kbackend import K
    >>> K.eval(K.concatenate([K.constant([[1], [2]]), K.constant([[3], [4]])])).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    found = _listed(tensors, "concatenate")
    for tensor in found:
        if getattr(tensor, "is_sparse", False) is True:
            return tensor.joined(found, axis)
    return _concatenate(found, axis)


def _prepare_stack(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim + 1)}


@primitive(
    name="stack",
    prepare=_prepare_stack,
    promote="same",
    tolerance="moving",
    samples=lambda: [
        call([In((2, 3)), In((2, 3))]),
        call([In((2, 3)), In((2, 3))], -1),
        call([In(()), In(())]),
        call([In((2, 3)), In((2, 4))], name="shapes", raises=ValueError),
    ],
)
def _stack(x: TensorList, axis: int = 0) -> TensorSpec:
    """Tensors of one shape put side by side along a new axis."""
    common = x[0].shape
    for t in x:
        try:
            common = merge(common, t.shape)
        except ValueError:
            raise ValueError(f"the shapes {', '.join(str(s.shape) for s in x)} differ") from None
    return TensorSpec((*common[:axis], len(x), *common[axis:]), x[0].dtype)


@derived(
    samples=lambda: [
        call([In((2, 3)), In((2, 3))]),
        call([In((2,)), In((2,))], axis=-1),
        call([], name="none", raises=TypeError),
    ]
)
def stack(x: TensorList, axis: int = 0) -> Any:
    """Tensors of one shape put side by side along a new axis.

    Args:
        x: a list of tensors or numbers.
        axis: the place of the new axis in the result.

    Raises:
        ValueError: the shapes differ.

    >>> from kbackend import K
    >>> K.eval(K.stack([K.constant([1, 2]), K.constant([3, 4])], axis=1)).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    return _stack(_listed(x, "stack"), axis)


def _known(x: TensorSpec, axis: int) -> int:
    found = x.shape[axis]
    if found is None:
        raise ValueError(
            f"axis {axis} of {x} is unknown, so the number of results is; use K.map_fn, or slices"
        )
    return found


@primitive(
    prepare=canonical_axis,
    view=True,
    tolerance="moving",
    samples=lambda: [call(In((2, 3)), dynamic=False), call(In((2, 3)), -1), call(In((3, 2, 2)), 1)],
)
def unstack(x: TensorLike, axis: int = 0) -> tuple[TensorSpec, ...]:
    """The parts of ``x`` along an axis of known length, as a list of tensors without that axis.

    >>> from kbackend import K
    >>> [t.shape for t in K.unstack(K.placeholder((None, 3)), axis=1)]
    [(None,), (None,), (None,)]
    """
    part = TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)
    return (part,) * _known(x, axis)


def _prepare_split(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    axis, sizes = axis_in(attrs["axis"], specs[0].ndim), attrs["sizes"]
    if isinstance(sizes, int):
        count, length = sizes, _known(specs[0], axis)
        if count < 1 or length % count:
            raise ValueError(f"axis {axis} of size {length} does not split into {count} equal parts")
        sizes = (length // count,) * count
    return {**attrs, "axis": axis, "sizes": tuple(int(s) for s in sizes)}


@primitive(
    prepare=_prepare_split,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 6)), 3),
        call(In((2, 6)), (1, 3, 2)),
        call(In((4, 2)), 2, 0, dynamic=False),
        call(In((2, 5)), 2, name="unequal", raises=ValueError),
    ],
)
def split(x: TensorLike, sizes: Any, axis: int = -1) -> tuple[TensorSpec, ...]:
    """``x`` cut along an axis.

    Args:
        x: a tensor.
        sizes: the number of equal parts, or the size of each part.
        axis: the axis.

    Raises:
        ValueError: the parts do not fit.

    >>> from kbackend import K
    >>> from kbackend.ops.joining import split
    >>> [t.shape for t in split(K.placeholder((None, 6)), (1, 5))]
    [(None, 1), (None, 5)]
    """
    if any(s < 0 for s in sizes) or x.shape[axis] is not None and sum(sizes) != x.shape[axis]:
        raise ValueError(f"the parts {sizes} do not fit axis {axis} of size {x.shape[axis]}")
    return tuple(TensorSpec((*x.shape[:axis], s, *x.shape[axis + 1 :]), x.dtype) for s in sizes)


# ---------------------------------------------------------------------- repeating


def _prepare_repeat(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(attrs["rep"], bool) or not hasattr(attrs["rep"], "__index__") or attrs["rep"] < 0:
        raise ValueError(f"the number of repetitions must be a non-negative integer, it is {attrs['rep']!r}")
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim), "rep": attrs["rep"].__index__()}


@primitive(
    prepare=_prepare_repeat,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), 2, 1),
        call(In((2, 3)), 3, 0),
        call(In((0, 3)), 2, -1),
        call(In((2, 3)), 1, 1, name="once"),
    ],
)
def repeat_elements(x: TensorLike, rep: int, axis: int) -> TensorSpec:
    """Each element repeated ``rep`` times along an axis, as ``np.repeat`` does: a, b becomes a, a, b, b.

    >>> from kbackend import K
    >>> K.eval(K.repeat_elements(K.constant([1, 2]), 2, axis=0)).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    d = x.shape[axis]
    return TensorSpec((*x.shape[:axis], None if d is None else d * rep, *x.shape[axis + 1 :]), x.dtype)


@derived(
    samples=lambda: [
        call(In((2, 3)), 4),
        call(In((2, 3)), 1),
        call(In((0, 3)), 2),
        call(In((2,)), 2, name="rank", raises=ValueError),
    ]
)
def repeat(x: TensorLike, n: int) -> Any:
    """A matrix (samples, features) repeated along a new axis: (samples, n, features).

    >>> from kbackend import K
    >>> K.int_shape(K.repeat(K.placeholder((None, 4)), 3))
    (None, 3, 4)
    """
    if rank_of(x) != 2:
        raise ValueError(
            f"K.repeat needs a tensor of rank 2, its rank is {rank_of(x)}; see K.tile, K.repeat_elements"
        )
    return tile(expand_dims(x, 1), [1, n, 1])


@primitive(
    name="tile",
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), [], (2, 1)),
        call(In((2, 3)), [], (1, 3)),
        call(In((2,)), [], (0,)),
        call(In((2, 3)), [], (1, 1), name="once"),
        call(In((2, 3)), [In((), kind="int32", values=2)], (None, 2), name="symbolic"),
    ],
)
def _tile(x: TensorLike, sizes: TensorList, n: Any) -> TensorSpec:
    """``x`` repeated n[i] times along axis i; each None stands for the next of ``sizes``."""
    check_sizes(sizes, n)
    if len(n) != x.ndim or any(i is not None and i < 0 for i in n):
        raise ValueError(f"{x.ndim} non-negative numbers of repetitions are needed, they are {n}")
    return TensorSpec(tuple(None if d is None or i is None else d * i for d, i in zip(x.shape, n)), x.dtype)


@derived(
    samples=lambda: [
        call(In((2, 3)), 2),
        call(In((2, 3)), (2, 1)),
        call(In((3,)), (2, 2), name="new axis"),
        call(In((2, 3)), [In((), kind="int32", values=2), 1], name="symbolic"),
    ]
)
def tile(x: TensorLike, n: Any) -> Any:
    """``x`` repeated as a whole: a, b becomes a, b, a, b.

    Args:
        x: a tensor.
        n: how often along each axis: ints or integer scalars, or one integer vector. Fewer numbers than axes
            count from the last axis, more make new axes in front, as NumPy does.

    >>> from kbackend import K
    >>> K.eval(K.tile(K.constant([1, 2]), 2)).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    found = entries([n] if isinstance(n, int) else n)
    rank = rank_of(x)
    for _ in range(len(found) - rank):
        x = expand_dims(x, 0)
    sizes, pattern = split_entries([1] * (rank - len(found)) + found)
    return _tile(x, sizes, pattern)


def _broadcast_samples() -> list[Sample]:
    return [
        call(In((1, 3)), [], (2, 3), dynamic=False),
        call(In(()), [], (2, 2)),
        call(In((3,)), [], (2, 3), dynamic=False),
        call(In((1, 3)), [In((), kind="int32", values=4)], (None, 3), name="symbolic", dynamic=False),
        call(In((2, 3)), [], (2, 4), name="does not fit", raises=ValueError),
    ]


@primitive(name="broadcast_to", view=True, tolerance="moving", samples=_broadcast_samples)
def _broadcast_to(x: TensorLike, sizes: TensorList, shape: Any) -> TensorSpec:
    """``x`` broadcast to a shape; each None in it stands for the next of ``sizes``."""
    check_sizes(sizes, shape)
    if len(shape) < x.ndim:
        raise ValueError(f"rank {x.ndim} does not broadcast to {shape}")
    for old, new in zip(reversed(x.shape), reversed(shape)):
        if old not in (None, 1) and new is not None and old != new:
            raise ValueError(f"the shape {x.shape} does not broadcast to {shape}")
    return TensorSpec(tuple(shape), x.dtype)


@derived(
    samples=lambda: [
        call(In((1, 3)), (2, 3), dynamic=False),
        call(In((3,)), (2, 3), dynamic=False),
        call(In((1, 3)), [In((), kind="int32", values=2), 3], name="symbolic", dynamic=False),
    ]
)
def broadcast_to(x: TensorLike, shape: Any) -> Any:
    """``x`` repeated to a shape by the rules of broadcasting; dimensions may be symbolic, see ``reshape``.

    >>> from kbackend import K
    >>> K.eval(K.broadcast_to(K.constant([1, 2]), (2, 2))).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    return _broadcast_to(x, *split_entries(entries(shape)))


# ---------------------------------------------------------------------- padding


def _prepare_pad(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    pairs = tuple((int(a), int(b)) for a, b in attrs["padding"])
    if len(pairs) != specs[0].ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(
            f"{specs[0].ndim} pairs of non-negative numbers are needed, they are {attrs['padding']}"
        )
    return {**attrs, "padding": pairs, "value": float(attrs["value"])}


@primitive(
    prepare=_prepare_pad,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), ((0, 0), (1, 2))),
        call(In((2,)), ((1, 0),), 2.5),
        call(In((0, 2)), ((1, 1), (0, 0)), name="empty"),
        call(In(()), (), name="scalar"),
        call(In((2, 2), 0, 9, kind="int32"), ((0, 1), (1, 0)), name="int32", gradient=False),
        call(In((2, 2)), ((0, 1),), name="pairs", raises=ValueError),
    ],
)
def pad(x: TensorLike, padding: Any, value: float = 0.0) -> TensorSpec:
    """``x`` with a constant around it.

    Args:
        x: a tensor of rank n.
        padding: n pairs (before, after).
        value: what is put there.

    >>> from kbackend import K
    >>> K.eval(K.pad(K.constant([1, 2]), [(1, 2)])).tolist()
    [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    return TensorSpec(tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, padding)), x.dtype)


@derived(
    samples=lambda: [
        call(In((2, 3, 2))),
        call(In((2, 3, 2)), padding=(0, 2)),
        call(In((2, 3, 2)), padding=2, name="int", raises=ValueError),
    ]
)
def temporal_padding(x: TensorLike, padding: Any = (1, 1)) -> Any:
    """A tensor (samples, steps, features) with steps of zeros before and after.

    >>> from kbackend import K
    >>> K.int_shape(K.temporal_padding(K.placeholder((None, 10, 4))))
    (None, 12, 4)
    """
    _check_padding(padding, 2)
    return pad(x, ((0, 0), tuple(padding), (0, 0)))


@derived(
    samples=lambda: [
        call(In((2, 3, 3, 2))),
        call(In((2, 3, 3, 2)), padding=((0, 1), (2, 0))),
        call(In((2, 2, 3, 3)), data_format="channels_first"),
        call(In((2, 3, 3, 2)), padding=(1, 1), name="ints", raises=ValueError),
    ]
)
def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Images with rows and columns of zeros around them.

    Args:
        x: a tensor of rank 4.
        padding: ((top, bottom), (left, right)).
        data_format: 'channels_last' or 'channels_first'; the configured one when None.

    >>> from kbackend import K
    >>> K.int_shape(K.spatial_2d_padding(K.placeholder((None, 8, 8, 3)), ((1, 0), (2, 2))))
    (None, 9, 12, 3)
    """
    return _spatial_padding(x, padding, data_format, 2)


@derived(
    samples=lambda: [
        call(In((1, 2, 2, 2, 1)), padding=((0, 1), (2, 0), (1, 1))),
        call(In((1, 1, 2, 2, 2)), data_format="channels_first"),
    ]
)
def spatial_3d_padding(
    x: TensorLike, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Volumes with zeros around them; see :func:`spatial_2d_padding`."""
    return _spatial_padding(x, padding, data_format, 3)


def _spatial_padding(x: Any, padding: Any, data_format: str | None, count: int) -> Any:
    _check_padding(padding, count)
    for pair in padding:
        _check_padding(pair, 2)
    pairs = [tuple(pair) for pair in padding]
    first = config.normalize_data_format(data_format) == "channels_first"
    return pad(x, ((0, 0), (0, 0), *pairs) if first else ((0, 0), *pairs, (0, 0)))


def _check_padding(padding: Any, count: int) -> None:
    if not isinstance(padding, (list, tuple)) or len(padding) != count:
        raise ValueError(f"the padding must have {count} entries, it is {padding!r}")
