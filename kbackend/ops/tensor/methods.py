"""The methods of NumPy's arrays for symbolic tensors, and the names that are refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.declare.op import DERIVED, REGISTRY
from kbackend.declare.shapes import axes_in
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays import diagonal as diagonals
from kbackend.ops.arrays import repeat as repetition
from kbackend.ops.arrays import reshape as shapes
from kbackend.ops.arrays.dims import length, plus, times
from kbackend.ops.arrays.transpose import classic_transpose, permute_dimensions, swapaxes
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, copy
from kbackend.ops.core.creation import ones_like, zeros_like
from kbackend.ops.elementwise import rounding, select
from kbackend.ops.elementwise.arithmetic import mod
from kbackend.ops.elementwise.floating import view
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing import gather, searching, sorting
from kbackend.ops.linalg import matmul
from kbackend.ops.reduction import extremes, reductions
from kbackend.ops.reduction.arg import argmax_along, argmin_along
from kbackend.ops.reduction.cumulative import cumprod_along, cumsum_along
from kbackend.ops.statistics.moments import std, var

_IN_PLACE = "a symbolic tensor never changes; "
_MEMORY = "a symbolic tensor has no memory; K.eval(tensor) gives a NumPy array when it depends on no placeholder"


#: attributes of NumPy's arrays that symbolic tensors do not have, with the alternative
REFUSED: dict[str, str] = {
    "base": _MEMORY,
    "byteswap": "the order of bytes is the engine's; byteswap the array after K.eval",
    "choose": "use kbackend.ops.select, or x[...] on stacked choices",
    "ctypes": _MEMORY,
    "data": _MEMORY,
    "device": "a symbolic tensor is on no device; a program runs on the device of the active backend",
    "dump": "tensors are not pickled; kbackend.saving.graph_json.to_json saves a graph",
    "dumps": "tensors are not pickled; kbackend.saving.graph_json.to_json gives a graph as text",
    "fill": _IN_PLACE + "K.ones_like(x) * value makes a new one",
    "flags": _MEMORY,
    "flat": "use x.ravel()",
    "getfield": "there are no record dtypes; x.view(dtype) reads the bits as another dtype",
    "itemset": _IN_PLACE + "kbackend.ops.slice_update makes a new one",
    "nbytes": "the size can be unknown while the graph is built; x.itemsize * K.size(x) is the size as a tensor",
    "newbyteorder": "the order of bytes is the engine's",
    "partition": _IN_PLACE + "x.argpartition(kth) gives indices, x.sort() a sorted tensor",
    "ptp": "NumPy 2 removed the method; use x.max() - x.min()",
    "put": _IN_PLACE + "kbackend.ops.scatter_update makes a new one",
    "resize": _IN_PLACE + "x.reshape, K.tile or kbackend.ops.pad make a new one",
    "setfield": _IN_PLACE + "kbackend.ops.slice_update makes a new one",
    "setflags": _MEMORY,
    "strides": _MEMORY,
    "to_device": "a symbolic tensor is on no device; model.to and kbackend.use_backend choose where programs run",
    "tobytes": "use K.eval(x).tobytes()",
    "tofile": "use K.eval(x).tofile(file)",
}


def _no_out(out: Any) -> None:
    if out is not None:
        raise TypeError(f"out={out!r}: {_IN_PLACE}use the result")


def _c_order(order: str) -> bool:
    """True for NumPy's row-major order, False for 'F'."""
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return order != "F"


def _counted(x: Any, dtype: Any) -> Any:
    """``x`` in the requested dtype; without one, bool becomes int32 as in NumPy's sums."""
    if dtype is None:
        return cast(x, "int32") if x.dtype == dtypes.BOOL else x
    return cast(x, dtypes.canonical(dtype))


def _masked(x: Any, where: Any, fill: Any) -> Any:
    if where is True:
        return x
    where = where if isinstance(where, Tensor) else to_numpy(where)
    return select_elements(where, x, cast(fill, x.dtype))


def sum_(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = True) -> Any:
    _no_out(out)
    total = reductions.sum_(_masked(_counted(self, dtype), where, 0), axis=axis, keepdims=keepdims)
    return total if initial is None else total + initial


def prod(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = True) -> Any:
    _no_out(out)
    total = reductions.reduce_prod(_masked(_counted(self, dtype), where, 1), axis=axis, keepdims=keepdims)
    return total if initial is None else total * initial


def mean(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *,
         where: Any = True) -> Any:
    _no_out(out)
    x = _counted(self, dtype)
    if where is True:
        return reductions.mean(x, axis=axis, keepdims=keepdims)
    kept = _masked(ones_like(x, "int32"), where, 0)
    total = reductions.sum_(_masked(x, where, 0), axis=axis, keepdims=keepdims)
    return total / reductions.sum_(kept, axis=axis, keepdims=keepdims)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
               where: Any = True) -> Any:
        _no_out(out)
        if where is not True and initial is None:
            raise ValueError(f"{function.op.name} with where= needs initial=, the result where no element is selected")  # type: ignore[attr-defined]
        x = self if where is True else _masked(self, where, initial)
        return function(x, axis=axis, keepdims=keepdims, initial=initial)

    return method


def _test(function: Callable[..., Any], nothing: bool) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
        _no_out(out)
        return function(_masked(self, where, nothing), axis=axis, keepdims=keepdims)

    return method


def _spread(function: Callable[..., Any], power: float) -> Callable[..., Any]:
    """``var`` and ``std``: the biased statistic times ``(n / (n - ddof)) ** power``."""

    def method(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
               keepdims: bool = False) -> Any:
        _no_out(out)
        x = _counted(self, dtype)
        found = function(x, axis=axis, keepdims=keepdims)
        return found if ddof == 0 else found * _factor(x, axes_in(axis, x.ndim), ddof, found.dtype, power)

    return method


def _factor(x: Any, axes: tuple[int, ...], ddof: float, dtype: str, power: float) -> Any:
    count: Any = 1
    for axis in axes:
        count = times(count, length(x, axis))
    if isinstance(count, int):
        with np.errstate(all="ignore"):
            return float((np.float64(count) / max(count - ddof, 0)) ** power)
    count = cast(count, dtype)
    return (count / maximum(count - ddof, 0.0)) ** power


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        if axis is None:
            found = function(shapes.flatten(self), 0)
            return shapes.reshape(found, [1] * self.ndim) if keepdims else found
        found = function(self, axis)
        return shapes.expand_dims(found, axis) if keepdims else found

    return method


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        _no_out(out)
        x = _counted(self, dtype)
        return function(shapes.flatten(x), 0) if axis is None else function(x, axis)

    return method


def _checked_order(kind: Any, order: Any) -> None:
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable", "introselect"):
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    if order is not None:
        raise ValueError(f"order={order!r} names the fields of records, which tensors do not have")


def argsort(self: Tensor, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    _checked_order(kind, order)
    return sorting.argsort(shapes.flatten(self), 0) if axis is None else sorting.argsort(self, axis)


def sort(self: Tensor, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The sorted tensor; NumPy's method sorts in place, which a symbolic tensor cannot do."""
    _checked_order(kind, order)
    return sorting.sort(shapes.flatten(self), 0) if axis is None else sorting.sort(self, axis)


def argpartition(self: Tensor, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    _checked_order(kind, order)
    return sorting.argpartition(self, kth, axis)


def searchsorted(self: Tensor, v: Any, side: str = "left", sorter: Any = None) -> Any:
    return searching.searchsorted(self if sorter is None else take(self, sorter), v, side)


def reshape(self: Tensor, *shape: Any, order: str = "C", copy: Any = None) -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    if _c_order(order):
        return shapes.reshape(self, wanted)
    wanted = [wanted] if isinstance(wanted, int) else list(wanted)
    return classic_transpose(shapes.reshape(classic_transpose(self), wanted[::-1]))


def flatten(self: Tensor, order: str = "C") -> Any:
    return shapes.flatten(self if _c_order(order) else classic_transpose(self))


def transpose(self: Tensor, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return classic_transpose(self)
    one_list = len(axes) == 1 and not isinstance(axes[0], int)
    return permute_dimensions(self, axes[0] if one_list else axes)


def matrix_transpose(self: Tensor) -> Any:
    if self.ndim < 2:
        raise ValueError(f"matrix transpose needs a rank of 2 or more, the shape is {self.shape}")
    return swapaxes(self, -1, -2)


def squeeze(self: Tensor, axis: Any = None) -> Any:
    return shapes.squeeze(self, axis)


def repeat(self: Tensor, repeats: Any, axis: Any = None) -> Any:
    return repetition.repeat(self, repeats, axis)


def take(self: Tensor, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    _no_out(out)
    x = shapes.flatten(self) if axis is None else self
    axis = 0 if axis is None else axes_in(axis, x.ndim)[0]
    indices = as_tensor(indices)
    if mode == "raise":
        return gather.take(x, indices, axis)
    if mode not in ("wrap", "clip"):
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', it is {mode!r}")
    size = length(x, axis)
    valid = mod(indices, size) if mode == "wrap" else select.clip(indices, 0, plus(size, -1))
    return gather.take(x, valid, axis)


def compress(self: Tensor, condition: Any, axis: Any = None, out: Any = None) -> Any:
    _no_out(out)
    if isinstance(condition, Tensor):
        raise TypeError(f"compress: the condition {condition!r} has values that are not known while the graph is built")
    known = np.asarray(to_numpy(condition))
    if known.ndim != 1:
        raise ValueError(f"compress: the condition must be a vector, its shape is {known.shape}")
    return take(self, np.flatnonzero(known).astype(np.int32), axis)


def diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return diagonals.diagonal(self, offset, axis1, axis2)


def trace(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    _no_out(out)
    return matmul.trace(_counted(self, dtype), offset, axis1, axis2)


def nonzero(self: Tensor) -> tuple[Any, ...]:
    return tuple(searching.nonzero(self))


def astype(self: Tensor, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
           copy: bool = True) -> Any:
    _c_order(order)
    wanted = dtypes.canonical(dtype)
    if casting != "unsafe":
        source, target = dtypes.numpy_dtype(self.dtype), dtypes.numpy_dtype(wanted)
        if not np.can_cast(source, target, casting=casting):  # type: ignore[arg-type]
            raise TypeError(f"cannot cast {self.dtype} to {wanted} by the rule {casting!r}")
    return cast(self, wanted)


def clip(self: Tensor, min: Any = None, max: Any = None, out: Any = None) -> Any:
    _no_out(out)
    return select.clip(self, min, max)


def dot(self: Tensor, b: Any, out: Any = None) -> Any:
    _no_out(out)
    return matmul.dot(self, b)


def round_(self: Tensor, decimals: Any = 0, out: Any = None) -> Any:
    """Round half to even; negative ``decimals`` round to tens, hundreds, and so on, integers too."""
    _no_out(out)
    return rounding.round_(self, decimals)


def _complex_part(name: str, of_real: Callable[[Any], Any]) -> Callable[..., Any]:
    def method(self: Tensor) -> Any:
        if self.dtype.startswith("complex"):
            return DERIVED[name].function(self) if name in DERIVED else REGISTRY[name].apply((self,), {})
        return of_real(self)

    return method


_conj = _complex_part("conj", lambda x: x)


def item(self: Tensor, *args: Any) -> Any:
    """One element as a Python number, for tensors that depend on no placeholder."""
    return self.numpy().item(*args)


def tolist(self: Tensor) -> Any:
    """The value as nested lists, for tensors that depend on no placeholder."""
    return self.numpy().tolist()


def itemsize(self: Tensor) -> int:
    return dtypes.numpy_dtype(self.dtype).itemsize


METHODS: dict[str, Any] = {
    "T": property(classic_transpose),
    "all": _test(reductions.all_, True),
    "any": _test(reductions.any_, False),
    "argmax": _position(argmax_along),
    "argmin": _position(argmin_along),
    "argpartition": argpartition,
    "argsort": argsort,
    "astype": astype,
    "clip": clip,
    "compress": compress,
    "conj": _conj,
    "conjugate": _conj,
    "copy": lambda self, order="C": copy(self),
    "cumprod": _running(cumprod_along),
    "cumsum": _running(cumsum_along),
    "diagonal": diagonal,
    "dot": dot,
    "flatten": flatten,
    "imag": property(_complex_part("imag", zeros_like)),
    "item": item,
    "itemsize": property(itemsize),
    "mT": property(matrix_transpose),
    "max": _extreme(extremes.max_),
    "mean": mean,
    "min": _extreme(extremes.min_),
    "nonzero": nonzero,
    "prod": prod,
    "ravel": flatten,
    "real": property(_complex_part("real", lambda x: x)),
    "repeat": repeat,
    "reshape": reshape,
    "round": round_,
    "searchsorted": searchsorted,
    "size": property(shapes.size),
    "sort": sort,
    "squeeze": squeeze,
    "std": _spread(std, 0.5),
    "sum": sum_,
    "swapaxes": lambda self, axis1, axis2: swapaxes(self, axis1, axis2),
    "take": take,
    "tolist": tolist,
    "trace": trace,
    "transpose": transpose,
    "var": _spread(var, 1.0),
    "view": lambda self, dtype=None: view(self, dtype),
}
