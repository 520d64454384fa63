"""Shapes, axes, joining, repeating, padding."""

from __future__ import annotations

from typing import Any, Sequence

from kbackend import config
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import axes_in, axis_in, canonical_axis, merge, product
from kbackend.ops.sizes import check_sizes, entries, split_entries

# ------------------------------------------------------------------------------------------------ sizes as tensors


@primitive(differentiable=False, tolerance="moving",
           samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 4, 1)), name="empty")])
def shape(x: TensorLike) -> TensorSpec:
    """The shape as an int32 vector. Parts of it that are known are used when other shapes are made from it.

    >>> from kbackend import K
    >>> x = K.placeholder((None, 3, 4))
    >>> K.int_shape(K.reshape(x, [K.shape(x)[0], 12]))
    (None, 12)
    """
    return TensorSpec((x.ndim,), "int32")


def _prepare_axes(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axes": axes_in(attrs["axes"], specs[0].ndim)}


@primitive(prepare=_prepare_axes, differentiable=False, tolerance="moving",
           samples=lambda: [call(In((2, 3))), call(In((2, 3)), (-1,)), call(In((2, 0, 3)), (0, 2)), call(In(()))])
def extent(x: TensorLike, axes: Any = None) -> TensorSpec:
    """The number of elements along some axes (all of them by default) as an int32 scalar."""
    return TensorSpec((), "int32")


@derived
def size(x: TensorLike, name: str | None = None) -> Any:
    """The number of elements as an int32 scalar.

    >>> from kbackend import K
    >>> int(K.size(K.zeros((2, 3))))
    6
    """
    return extent(x, None)


# ------------------------------------------------------------------------------------------------ reshape


def _prepare_reshape(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(int(d) for d in attrs["shape"])}


def _reshaped(old: Shape, new: Shape) -> Shape:
    """The result's shape; None in ``new`` is unknown, -1 is inferred."""
    if any(d is not None and d < -1 for d in new) or new.count(-1) > 1:
        raise ValueError(f"the shape {new} must hold dimensions and at most one -1")
    total, known = product(old), product(d for d in new if d is not None and d != -1)
    assert known is not None
    if None in new:
        return tuple(None if d == -1 else d for d in new)
    if -1 in new:
        if known == 0:
            raise ValueError(f"-1 in {new} cannot be inferred beside a dimension of 0")
        if total is not None and total % known:
            raise ValueError(f"{total} elements of shape {old} do not fit the shape {new}")
        return tuple((None if total is None else total // known) if d == -1 else d for d in new)
    if total is not None and total != known:
        raise ValueError(f"{total} elements of shape {old} do not fit the shape {new}")
    return new


@primitive(name="reshape", prepare=_prepare_reshape, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 6)), (-1, 4)), call(In((2, 3)), (6,)), call(In((1,)), ()),
                            call(In((0, 3)), (-1, 3), name="empty"),
                            call(In((2, 3)), (4, -1), name="does not fit", raises=ValueError, dynamic=False)])
def _reshape(x: TensorLike, shape: Any) -> TensorSpec:
    """``x`` with another shape of ints, at most one of them -1."""
    return TensorSpec(_reshaped(x.shape, shape), x.dtype)


@primitive(name="reshape_to", view=True, tolerance="moving",
           samples=lambda: [call(In((2, 6)), [In((), kind="int32", values=3)], (None, 4)),
                            call(In((2, 6)), [In((), kind="int32", values=2)], (None, -1, 3))])
def _reshape_to(x: TensorLike, sizes: TensorList, shape: Any) -> TensorSpec:
    """``x`` with another shape; each None in it stands for the next of ``sizes``."""
    check_sizes(sizes, shape)
    return TensorSpec(_reshaped(x.shape, shape), x.dtype)


@derived
def reshape(x: TensorLike, shape: Any) -> Any:
    """``x`` with another shape.

    Args:
        x: a tensor.
        shape: ints, at most one -1 that is inferred, integer scalars such as ``K.shape(x)[0]``; or one integer
            vector such as ``K.shape(y)``.

    Returns:
        A tensor with the same elements in the same order.

    Raises:
        ValueError: the elements do not fit.

    >>> from kbackend import K
    >>> K.int_shape(K.reshape(K.placeholder((None, 2, 3)), (-1, 6)))
    (None, 6)
    """
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if len(sizes) == 1 and -1 not in pattern and _inferable(x, sizes[0], pattern):
        return _reshape(x, tuple(-1 if d is None else d for d in pattern))
    return _reshape_to(x, sizes, pattern) if sizes else _reshape(x, pattern)


def _inferable(x: Any, size: Tensor, pattern: Shape) -> bool:
    """Whether ``size`` is x's only unknown dimension and the rest fits, so that -1 must give the same."""
    if not isinstance(x, Tensor) or size.node.op.name != "extent" or size.node.args[0] is not x:
        return False
    axes = size.node.attrs["axes"]
    rest = product(d for i, d in enumerate(x.shape) if i not in axes)
    return rest is not None and rest > 0 and rest == product(d for d in pattern if d is not None)


@derived
def flatten(x: TensorLike) -> Any:
    """``x`` as a vector."""
    return _reshape(x, (-1,))


@derived
def batch_flatten(x: TensorLike) -> Any:
    """``x`` with all dimensions but the first made one.

    >>> from kbackend import K
    >>> K.int_shape(K.batch_flatten(K.placeholder((None, 2, 3))))
    (None, 6)
    """
    old = tuple(x.shape) if hasattr(x, "shape") else to_numpy(x).shape
    if not old:
        raise ValueError("batch_flatten needs a tensor of rank 1 or more")
    rest = product(old[1:])
    if rest:
        return _reshape(x, (-1, rest))
    if rest == 0 and old[0] is not None:
        return _reshape(x, (old[0], 0))
    if rest == 0:
        return _reshape_to(x, [extent(x, (0,))], (None, 0))
    return _reshape_to(x, [extent(x, (0,)), extent(x, range(1, len(old)))], (None, None))


# ------------------------------------------------------------------------------------------------ axes


def _prepare_pattern(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    ndim = specs[0].ndim
    pattern = tuple(axis_in(a, ndim) for a in attrs["pattern"])
    if sorted(pattern) != list(range(ndim)):
        raise ValueError(f"the pattern must name each of the {ndim} axes once, it is {tuple(attrs['pattern'])}")
    return {**attrs, "pattern": pattern}


@primitive(prepare=_prepare_pattern, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 3, 4)), (2, 0, 1)), call(In((2, 3)), (1, 0)), call(In((0, 3)), (-1, 0)),
                            call(In((2, 3)), (0, 0), name="twice", raises=ValueError)])
def permute_dimensions(x: TensorLike, pattern: Any) -> TensorSpec:
    """``x`` with its axes in another order.

    Args:
        x: a tensor of rank n.
        pattern: a permutation of 0..n-1: axis i of the result is axis pattern[i] of ``x``.

    Raises:
        ValueError: no permutation.
    """
    return TensorSpec(tuple(x.shape[a] for a in pattern), x.dtype)


@derived
def transpose(x: TensorLike) -> Any:
    """``x`` with its axes in reverse order."""
    return permute_dimensions(x, tuple(reversed(range(_rank(x)))))


def _rank(x: Any) -> int:
    return len(x.shape) if hasattr(x, "shape") else to_numpy(x).ndim


def _prepare_expand(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim + 1)}


@primitive(prepare=_prepare_expand, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 3))), call(In((2, 3)), 0), call(In(())), call(In((2, 3)), -2),
                            call(In((2,)), 2, name="out of range", raises=ValueError)])
def expand_dims(x: TensorLike, axis: int = -1) -> TensorSpec:
    """``x`` with a new dimension of 1 at ``axis`` of the result."""
    return TensorSpec((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)


@primitive(prepare=canonical_axis, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 1, 3)), 1), call(In((1,)), 0, dynamic=False), call(In((2, 1)), -1),
                            call(In((2, 3)), 1, name="not 1", raises=ValueError)])
def squeeze(x: TensorLike, axis: int) -> TensorSpec:
    """``x`` without the dimension at ``axis``, which must be 1.

    Raises:
        ValueError: the dimension is not 1.
    """
    if x.shape[axis] not in (1, None):
        raise ValueError(f"axis {axis} has size {x.shape[axis]}, only a dimension of 1 can be removed")
    return TensorSpec((*x.shape[:axis], *x.shape[axis + 1:]), x.dtype)


@primitive(prepare=lambda specs, attrs: {**attrs, "axes": axes_in(attrs["axes"], specs[0].ndim)}, view=True,
           tolerance="moving",
           samples=lambda: [call(In((2, 3)), 1), call(In((2, 3, 2)), (0, -1)), call(In((0, 2)), 0),
                            call(In((3,), 0, 9, kind="int32"), 0, name="int32", gradient=False)])
def reverse(x: TensorLike, axes: Any) -> TensorSpec:
    """``x`` with the order of the elements reversed along one or more axes."""
    return x


# ------------------------------------------------------------------------------------------------ joining, splitting


def _listed(tensors: Any, what: str) -> Sequence[Any]:
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise TypeError(f"{what} needs a non-empty list of tensors, it was given "
                        f"{tensors!r}" if not tensors else f"{what} needs a list of tensors, not {tensors!r}")
    return [to_numpy(t) if isinstance(t, (bool, int, float, list, tuple)) else t for t in tensors] \
        if not any(isinstance(t, Tensor) for t in tensors) else tensors


def _prepare_join(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim)}


@primitive(name="concatenate", prepare=_prepare_join, promote="same", tolerance="moving",
           samples=lambda: [call([In((2, 3)), In((2, 1))]), call([In((2, 3)), In((1, 3)), In((0, 3))], 0, dynamic=False),
                            call([In((2, 3))], name="one"), call([In((2, 1, 3)), In((2, 2, 3))], -2),
                            call([In((2, 3)), In((2, 3))], 2, name="axis", raises=ValueError),
                            call([In((2, 3)), In((3, 2))], 0, name="shapes", raises=ValueError)])
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


@derived
def concatenate(tensors: TensorList, axis: int = -1) -> Any:
    """Tensors put one after the other along an axis.

    Args:
        tensors: a list of tensors of one rank whose shapes differ along ``axis`` at most.
        axis: the axis.

    Raises:
        ValueError: ranks or other dimensions differ.
    """
    return _concatenate(_listed(tensors, "concatenate"), axis)


def _prepare_stack(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim + 1)}


@primitive(name="stack", prepare=_prepare_stack, promote="same", tolerance="moving",
           samples=lambda: [call([In((2, 3)), In((2, 3))]), call([In((2, 3)), In((2, 3))], -1), call([In(()), In(())]),
                            call([In((2, 3)), In((2, 4))], name="shapes", raises=ValueError)])
def _stack(x: TensorList, axis: int = 0) -> TensorSpec:
    """Tensors of one shape put side by side along a new axis."""
    common = x[0].shape
    for t in x:
        try:
            common = merge(common, t.shape)
        except ValueError:
            raise ValueError(f"the shapes {', '.join(str(s.shape) for s in x)} differ") from None
    return TensorSpec((*common[:axis], len(x), *common[axis:]), x[0].dtype)


@derived
def stack(x: TensorList, axis: int = 0) -> Any:
    """Tensors of one shape put side by side along a new axis.

    Args:
        x: a list of tensors or numbers.
        axis: the place of the new axis in the result.

    Raises:
        ValueError: the shapes differ.
    """
    return _stack(_listed(x, "stack"), axis)


def _known(x: TensorSpec, axis: int) -> int:
    found = x.shape[axis]
    if found is None:
        raise ValueError(f"axis {axis} of {x} is unknown, so the number of results is; use K.map_fn, or slices")
    return found


@primitive(prepare=canonical_axis, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 3)), dynamic=False), call(In((2, 3)), -1), call(In((3, 2, 2)), 1)])
def unstack(x: TensorLike, axis: int = 0) -> tuple[TensorSpec, ...]:
    """The parts of ``x`` along an axis of known length, as a list of tensors without that axis."""
    part = TensorSpec((*x.shape[:axis], *x.shape[axis + 1:]), x.dtype)
    return (part,) * _known(x, axis)


def _prepare_split(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    axis, sizes = axis_in(attrs["axis"], specs[0].ndim), attrs["sizes"]
    if isinstance(sizes, int):
        count, length = sizes, _known(specs[0], axis)
        if count < 1 or length % count:
            raise ValueError(f"axis {axis} of size {length} does not split into {count} equal parts")
        sizes = (length // count,) * count
    return {**attrs, "axis": axis, "sizes": tuple(int(s) for s in sizes)}


@primitive(prepare=_prepare_split, view=True, tolerance="moving",
           samples=lambda: [call(In((2, 6)), 3), call(In((2, 6)), (1, 3, 2)), call(In((4, 2)), 2, 0, dynamic=False),
                            call(In((2, 5)), 2, name="unequal", raises=ValueError)])
def split(x: TensorLike, sizes: Any, axis: int = -1) -> tuple[TensorSpec, ...]:
    """``x`` cut along an axis.

    Args:
        x: a tensor.
        sizes: the number of equal parts, or the size of each part.
        axis: the axis.

    Raises:
        ValueError: the parts do not fit.
    """
    if any(s < 0 for s in sizes) or x.shape[axis] is not None and sum(sizes) != x.shape[axis]:
        raise ValueError(f"the parts {sizes} do not fit axis {axis} of size {x.shape[axis]}")
    return tuple(TensorSpec((*x.shape[:axis], s, *x.shape[axis + 1:]), x.dtype) for s in sizes)


# ------------------------------------------------------------------------------------------------ repeating


def _prepare_repeat(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(attrs["rep"], bool) or not hasattr(attrs["rep"], "__index__") or attrs["rep"] < 0:
        raise ValueError(f"the number of repetitions must be a non-negative integer, it is {attrs['rep']!r}")
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim), "rep": attrs["rep"].__index__()}


@primitive(prepare=_prepare_repeat, tolerance="moving",
           samples=lambda: [call(In((2, 3)), 2, 1), call(In((2, 3)), 3, 0), call(In((0, 3)), 2, -1),
                            call(In((2, 3)), 1, 1, name="once")])
def repeat_elements(x: TensorLike, rep: int, axis: int) -> TensorSpec:
    """Each element repeated ``rep`` times along an axis, as ``np.repeat`` does: a, b becomes a, a, b, b."""
    d = x.shape[axis]
    return TensorSpec((*x.shape[:axis], None if d is None else d * rep, *x.shape[axis + 1:]), x.dtype)


@derived
def repeat(x: TensorLike, n: int) -> Any:
    """A matrix (samples, features) repeated along a new axis: (samples, n, features)."""
    if _rank(x) != 2:
        raise ValueError(f"K.repeat needs a tensor of rank 2, its rank is {_rank(x)}; see K.tile, K.repeat_elements")
    return tile(expand_dims(x, 1), [1, n, 1])


@primitive(name="tile", tolerance="moving",
           samples=lambda: [call(In((2, 3)), [], (2, 1)), call(In((2, 3)), [], (1, 3)), call(In((2,)), [], (0,)),
                            call(In((2, 3)), [In((), kind="int32", values=2)], (None, 2), name="symbolic")])
def _tile(x: TensorLike, sizes: TensorList, n: Any) -> TensorSpec:
    """``x`` repeated n[i] times along axis i; each None stands for the next of ``sizes``."""
    check_sizes(sizes, n)
    if len(n) != x.ndim or any(i is not None and i < 0 for i in n):
        raise ValueError(f"{x.ndim} non-negative numbers of repetitions are needed, they are {n}")
    return TensorSpec(tuple(None if d is None or i is None else d * i for d, i in zip(x.shape, n)), x.dtype)


@derived
def tile(x: TensorLike, n: Any) -> Any:
    """``x`` repeated as a whole: a, b becomes a, b, a, b.

    Args:
        x: a tensor.
        n: how often along each axis: ints or integer scalars, or one integer vector. Fewer numbers than axes
            count from the last axis, more make new axes in front, as NumPy does.
    """
    found = entries([n] if isinstance(n, int) else n)
    rank = _rank(x)
    for _ in range(len(found) - rank):
        x = expand_dims(x, 0)
    sizes, pattern = split_entries([1] * (rank - len(found)) + found)
    return _tile(x, sizes, pattern)


def _broadcast_samples() -> list[Sample]:
    return [
        call(In((1, 3)), [], (2, 3), dynamic=False), call(In(()), [], (2, 2)), call(In((3,)), [], (2, 3), dynamic=False),
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


@derived
def broadcast_to(x: TensorLike, shape: Any) -> Any:
    """``x`` repeated to a shape by the rules of broadcasting; symbolic dimensions are allowed, see ``reshape``."""
    return _broadcast_to(x, *split_entries(entries(shape)))


# ------------------------------------------------------------------------------------------------ padding


def _prepare_pad(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    pairs = tuple((int(a), int(b)) for a, b in attrs["padding"])
    if len(pairs) != specs[0].ndim or any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"{specs[0].ndim} pairs of non-negative numbers are needed, they are {attrs['padding']}")
    return {**attrs, "padding": pairs, "value": float(attrs["value"])}


@primitive(prepare=_prepare_pad, tolerance="moving",
           samples=lambda: [call(In((2, 3)), ((0, 0), (1, 2))), call(In((2,)), ((1, 0),), 2.5),
                            call(In((0, 2)), ((1, 1), (0, 0)), name="empty"),
                            call(In((2, 2), 0, 9, kind="int32"), ((0, 1), (1, 0)), name="int32", gradient=False),
                            call(In((2, 2)), ((0, 1),), name="pairs", raises=ValueError)])
def pad(x: TensorLike, padding: Any, value: float = 0.0) -> TensorSpec:
    """``x`` with a constant around it.

    Args:
        x: a tensor of rank n.
        padding: n pairs (before, after).
        value: what is put there.
    """
    return TensorSpec(tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, padding)), x.dtype)


@derived
def temporal_padding(x: TensorLike, padding: Any = (1, 1)) -> Any:
    """A tensor (samples, steps, features) with steps of zeros before and after."""
    _check_padding(padding, 2)
    return pad(x, ((0, 0), tuple(padding), (0, 0)))


@derived
def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Images with rows and columns of zeros around them.

    Args:
        x: a tensor of rank 4.
        padding: ((top, bottom), (left, right)).
        data_format: 'channels_last' or 'channels_first'; the configured one when None.
    """
    return _spatial_padding(x, padding, data_format, 2)


@derived
def spatial_3d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Volumes with zeros around them; see :func:`spatial_2d_padding`."""
    return _spatial_padding(x, padding, data_format, 3)


def _spatial_padding(x: Any, padding: Any, data_format: str | None, count: int) -> Any:
    _check_padding(padding, count)
    pairs = [tuple(p) for p in padding]
    for pair in pairs:
        _check_padding(pair, 2)
    first = config.normalize_data_format(data_format) == "channels_first"
    return pad(x, ((0, 0), (0, 0), *pairs) if first else ((0, 0), *pairs, (0, 0)))


def _check_padding(padding: Any, count: int) -> None:
    if not isinstance(padding, (list, tuple)) or len(padding) != count:
        raise ValueError(f"the padding must have {count} entries, it is {padding!r}")


__all__ = ["batch_flatten", "broadcast_to", "concatenate", "expand_dims", "extent", "flatten", "pad",
           "permute_dimensions", "repeat", "repeat_elements", "reshape", "reverse", "shape", "size",
           "spatial_2d_padding", "spatial_3d_padding", "split", "squeeze", "stack",
           "temporal_padding", "tile", "transpose", "unstack"]
