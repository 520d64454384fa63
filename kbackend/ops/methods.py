"""NumPy's methods of symbolic tensors, with NumPy's argument names and meaning, and the names that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import (
    arranging,
    bits,
    kinds,
    linear,
    modern,
    modern_values,
    ordering,
    products,
    reduction,
    searching,
    shaping,
    triangles,
)
from kbackend.ops import elementwise as e
from kbackend.ops.creation import ones_like, zeros_like
from kbackend.ops.declare import DERIVED, REGISTRY
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.shapes import axes_in

_IN_PLACE = "a symbolic tensor never changes; "
_MEMORY = "a symbolic tensor has no memory; K.eval(tensor) gives a NumPy array when it depends on no placeholder"

#: names of NumPy's arrays that symbolic tensors do not have, with what to do instead
REFUSED: dict[str, str] = {
    "base": _MEMORY,
    "byteswap": "the order of bytes is the engine's; byteswap the array after K.eval",
    "choose": "use kbackend.ops.select, or x[...] on stacked choices",
    "ctypes": _MEMORY,
    "data": _MEMORY,
    "device": "a symbolic tensor is on no device; a program runs on the device of the backend in use",
    "dump": "tensors are not pickled; kbackend.graph.serialize.to_json saves a graph",
    "dumps": "tensors are not pickled; kbackend.graph.serialize.to_json gives a graph as text",
    "fill": _IN_PLACE + "K.ones_like(x) * value makes a new one",
    "flags": _MEMORY,
    "flat": "use x.ravel()",
    "getfield": "there are no record dtypes; x.view(dtype) reads the bits as another dtype",
    "itemset": _IN_PLACE + "kbackend.ops.slice_update makes a new one",
    "nbytes": "the size can depend on values to come; x.itemsize times K.size(x) is it as a tensor",
    "newbyteorder": "the order of bytes is the engine's",
    "partition": _IN_PLACE + "x.argpartition(kth) gives places, x.sort() a sorted tensor",
    "ptp": "NumPy 2 took the method away; use x.max() - x.min()",
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


# ------------------------------------------------------------------------------------- reductions


def _counted(x: Any, dtype: Any) -> Any:
    """``x`` in the dtype asked for; bools are counted as int32."""
    if dtype is None:
        return e.cast(x, "int32") if x.dtype == dtypes.BOOL else x
    return e.cast(x, dtypes.canonical(dtype))


def _masked(x: Any, where: Any, fill: Any) -> Any:
    if where is True:
        return x
    where = where if isinstance(where, Tensor) else to_numpy(where)
    return e.where(where, x, e.cast(fill, x.dtype))


def sum_(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = True) -> Any:
    _no_out(out)
    total = reduction.sum_(_masked(_counted(self, dtype), where, 0), axis=axis, keepdims=keepdims)
    return total if initial is None else e.add(total, initial)


def prod(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = True) -> Any:
    _no_out(out)
    total = reduction.prod(_masked(_counted(self, dtype), where, 1), axis=axis, keepdims=keepdims)
    return total if initial is None else e.multiply(total, initial)


def mean(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *,
         where: Any = True) -> Any:
    _no_out(out)
    x = _counted(self, dtype)
    if where is True:
        return reduction.mean(x, axis=axis, keepdims=keepdims)
    kept = _masked(ones_like(x, "int32"), where, 0)
    total = reduction.sum_(_masked(x, where, 0), axis=axis, keepdims=keepdims)
    return e.divide(total, reduction.sum_(kept, axis=axis, keepdims=keepdims))


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
               where: Any = True) -> Any:
        _no_out(out)
        if where is not True and initial is None:
            raise ValueError(f"{function.op.name} with where= needs initial=, the value of nothing")  # type: ignore[attr-defined]
        x = self if where is True else _masked(self, where, initial)
        return function(x, axis=axis, keepdims=keepdims, initial=initial)

    return method


def _test(function: Callable[..., Any], nothing: bool) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
        _no_out(out)
        return function(_masked(self, where, nothing), axis=axis, keepdims=keepdims)

    return method


def _spread(function: Callable[..., Any], power: float) -> Callable[..., Any]:
    """``var`` and ``std``: the biased one, times n / (n - ddof) to the power."""

    def method(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
               keepdims: bool = False) -> Any:
        _no_out(out)
        x = _counted(self, dtype)
        found = function(x, axis=axis, keepdims=keepdims)
        return found if ddof == 0 else e.multiply(found, _factor(x, axes_in(axis, x.ndim), ddof, found.dtype, power))

    return method


def _factor(x: Any, axes: tuple[int, ...], ddof: float, dtype: str, power: float) -> Any:
    count: Any = 1
    for axis in axes:
        count = arranging.times(count, arranging.length(x, axis))
    if isinstance(count, int):
        with np.errstate(all="ignore"):
            return float((np.float64(count) / max(count - ddof, 0)) ** power)
    count = e.cast(count, dtype)
    return e.pow_(e.divide(count, e.maximum(e.subtract(count, ddof), 0.0)), power)


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        if axis is None:
            found = function(shaping.flatten(self), 0)
            return shaping.reshape(found, [1] * self.ndim) if keepdims else found
        found = function(self, axis)
        return shaping.expand_dims(found, axis) if keepdims else found

    return method


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tensor, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        _no_out(out)
        x = _counted(self, dtype)
        return function(shaping.flatten(x), 0) if axis is None else function(x, axis)

    return method


# ------------------------------------------------------------------------------------- order


def _checked_order(kind: Any, order: Any) -> None:
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable", "introselect"):
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    if order is not None:
        raise ValueError(f"order={order!r} names the fields of records, which tensors do not have")


def argsort(self: Tensor, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    _checked_order(kind, order)
    return ordering.argsort(shaping.flatten(self), 0) if axis is None else ordering.argsort(self, axis)


def sort(self: Tensor, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The sorted tensor: where NumPy's method sorts in place, a symbolic tensor never changes."""
    _checked_order(kind, order)
    return ordering.sort(shaping.flatten(self), 0) if axis is None else ordering.sort(self, axis)


def argpartition(self: Tensor, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    _checked_order(kind, order)
    return searching.argpartition(self, kth, axis)


def searchsorted(self: Tensor, v: Any, side: str = "left", sorter: Any = None) -> Any:
    return searching.searchsorted(self if sorter is None else take(self, sorter), v, side)


# ------------------------------------------------------------------------------------- structure


def reshape(self: Tensor, *shape: Any, order: str = "C", copy: Any = None) -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    if _c_order(order):
        return shaping.reshape(self, wanted)
    wanted = [wanted] if isinstance(wanted, int) else list(wanted)
    return shaping.transpose(shaping.reshape(shaping.transpose(self), wanted[::-1]))


def flatten(self: Tensor, order: str = "C") -> Any:
    return shaping.flatten(self if _c_order(order) else shaping.transpose(self))


def transpose(self: Tensor, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return shaping.transpose(self)
    one_list = len(axes) == 1 and not isinstance(axes[0], int)
    return shaping.permute_dimensions(self, axes[0] if one_list else axes)


def matrix_transpose(self: Tensor) -> Any:
    if self.ndim < 2:
        raise ValueError(f"matrix transpose needs a rank of 2 or more, the shape is {self.shape}")
    return arranging.swapaxes(self, -1, -2)


def squeeze(self: Tensor, axis: Any = None) -> Any:
    return modern.squeeze(self, axis)


def repeat(self: Tensor, repeats: Any, axis: Any = None) -> Any:
    return modern.repeat(self, repeats, axis)


def take(self: Tensor, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    _no_out(out)
    x = shaping.flatten(self) if axis is None else self
    axis = 0 if axis is None else axes_in(axis, x.ndim)[0]
    places = arranging.as_tensor(indices)
    if mode == "raise":
        return arranging.take(x, places, axis)
    if mode not in ("wrap", "clip"):
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', it is {mode!r}")
    size = arranging.length(x, axis)
    inside = e.mod(places, size) if mode == "wrap" else e.clip(places, 0, arranging.plus(size, -1))
    return arranging.take(x, inside, axis)


def compress(self: Tensor, condition: Any, axis: Any = None, out: Any = None) -> Any:
    _no_out(out)
    if isinstance(condition, Tensor):
        raise TypeError(f"compress: the condition {condition!r} has values that are not known while the graph is built")
    known = np.asarray(to_numpy(condition))
    if known.ndim != 1:
        raise ValueError(f"compress: the condition must be a vector, its shape is {known.shape}")
    return take(self, np.flatnonzero(known).astype(np.int32), axis)


def diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return triangles.diagonal(self, offset, axis1, axis2)


def trace(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    _no_out(out)
    return products.trace(_counted(self, dtype), offset, axis1, axis2)


def nonzero(self: Tensor) -> tuple[Any, ...]:
    return tuple(searching.nonzero(self))


# ------------------------------------------------------------------------------------- elements


def astype(self: Tensor, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
           copy: bool = True) -> Any:
    _c_order(order)
    wanted = dtypes.canonical(dtype)
    if casting != "unsafe":
        source, target = dtypes.numpy_dtype(self.dtype), dtypes.numpy_dtype(wanted)
        if not np.can_cast(source, target, casting=casting):  # type: ignore[arg-type]
            raise TypeError(f"cannot cast {self.dtype} to {wanted} by the rule {casting!r}")
    return e.cast(self, wanted)


def clip(self: Tensor, min: Any = None, max: Any = None, out: Any = None) -> Any:
    _no_out(out)
    return e.clip(self, min, max)


def dot(self: Tensor, b: Any, out: Any = None) -> Any:
    _no_out(out)
    return linear.dot(self, b)


def round_(self: Tensor, decimals: Any = 0, out: Any = None) -> Any:
    """Halves to the even neighbour; ``decimals`` below 0 round to tens, hundreds, ..., integers too."""
    _no_out(out)
    return modern_values.round_(self, decimals)


def _complex_part(name: str, of_real: Callable[[Any], Any]) -> Callable[..., Any]:
    def method(self: Tensor) -> Any:
        if self.dtype.startswith("complex"):
            return DERIVED[name].function(self) if name in DERIVED else REGISTRY[name].apply((self,), {})
        return of_real(self)

    return method


_conj = _complex_part("conj", lambda x: x)


# ------------------------------------------------------------------------------------- values


def item(self: Tensor, *args: Any) -> Any:
    """One element as a Python number; the tensor depends on no placeholder."""
    return self.numpy().item(*args)


def tolist(self: Tensor) -> Any:
    """The value as nested lists; the tensor depends on no placeholder."""
    return self.numpy().tolist()


def itemsize(self: Tensor) -> int:
    return dtypes.numpy_dtype(self.dtype).itemsize


METHODS: dict[str, Any] = {
    "T": property(shaping.transpose),
    "all": _test(reduction.all_, True),
    "any": _test(reduction.any_, False),
    "argmax": _position(reduction.argmax),
    "argmin": _position(reduction.argmin),
    "argpartition": argpartition,
    "argsort": argsort,
    "astype": astype,
    "clip": clip,
    "compress": compress,
    "conj": _conj,
    "conjugate": _conj,
    "copy": lambda self, order="C": kinds.copy(self),
    "cumprod": _running(reduction.cumprod),
    "cumsum": _running(reduction.cumsum),
    "diagonal": diagonal,
    "dot": dot,
    "flatten": flatten,
    "imag": property(_complex_part("imag", zeros_like)),
    "item": item,
    "itemsize": property(itemsize),
    "mT": property(matrix_transpose),
    "max": _extreme(modern.max_),
    "mean": mean,
    "min": _extreme(modern.min_),
    "nonzero": nonzero,
    "prod": prod,
    "ravel": flatten,
    "real": property(_complex_part("real", lambda x: x)),
    "repeat": repeat,
    "reshape": reshape,
    "round": round_,
    "searchsorted": searchsorted,
    "size": property(shaping.size),
    "sort": sort,
    "squeeze": squeeze,
    "std": _spread(reduction.std, 0.5),
    "sum": sum_,
    "swapaxes": lambda self, axis1, axis2: arranging.swapaxes(self, axis1, axis2),
    "take": take,
    "tolist": tolist,
    "trace": trace,
    "transpose": transpose,
    "var": _spread(reduction.var, 1.0),
    "view": lambda self, dtype=None: bits.view(self, dtype),
}

__all__ = ["METHODS", "REFUSED"]
