"""Casts, copies, the identity, and the end of the gradient's flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare import static_values
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import NAN, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.plugin.select import owner_of


def _cast_attrs(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": dtypes.canonical(attrs["dtype"])}


def _cast_samples() -> list[Sample]:
    return [
        call(In((2, 3)), dtype="int32", gradient=False, name="float to int"),
        call(
            values(1.9, -1.9, 0.0),
            dtype="int64",
            expect=np.array([1, -1, 0]),
            gradient=False,
            name="towards zero",
        ),
        call(In((2, 3)), dtype="float64", name="to float64"),
        call(In((2, 3)), dtype="float32", name="to float32", tolerance="elementwise", reason="it rounds"),
        call(In((0, 3)), dtype="float32", name="empty"),
        call(values(0.0, -0.0, 2.0, NAN), dtype="bool", gradient=False, name="float to bool"),
        call(In((3,), kind="bool"), dtype="float32", gradient=False, name="bool to float"),
        call(In((3,), -5, 5, kind="int32"), dtype="float32", gradient=False, name="int to float"),
        call(In((3,), 0, 99, kind="int32"), dtype="uint8", gradient=False, name="int to uint8"),
        call(In((3,)), dtype="float31", raises=TypeError, name="unknown dtype"),
        call(In((3,)), dtype="complex128", name="float to complex"),
        call(In((3,), kind="complex64"), dtype="float32", raises=TypeError, name="complex to float"),
    ]


@primitive(takes_complex=True, view=True, prepare=_cast_attrs, tolerance="exact",
           static_value=static_values.same, samples=_cast_samples)
def cast(x: TensorLike, dtype: str) -> TensorSpec:
    """Cast a tensor to another dtype.

    Args:
        x: a tensor of any shape.
        dtype: the dtype of the result. Floats are truncated towards zero when they become integers.

    Returns:
        A tensor of the shape of ``x``; its gradient has the dtype of ``x``.

    Raises:
        TypeError: an unknown dtype; a complex tensor and a real dtype (use ``real``, ``imag``, ``abs``, ``angle``).

    >>> from kbackend import K
    >>> K.eval(K.cast([1.9, -1.9], "int32")).tolist()
    [1, -1]
    """
    if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype):
        raise TypeError(f"{x.dtype} cannot be cast to {dtype}; use real, imag, abs or angle")
    return TensorSpec(x.shape, dtype)


def as_positions(x: Any) -> Any:
    """Positions, labels or lengths as int32, or as int64 where their dtype holds more, so that none wraps."""
    kind = dtype_of(x)
    return cast(x, "int64" if kind in ("int64", "uint32", "uint64") or dtypes.is_float(kind) else "int32")


@derived(traced=False, samples=lambda: [call(In((3,), -4, 4, kind="int32"), gradient=False)])
def cast_to_floatx(x: TensorLike) -> Any:
    """Cast to floatx (Keras's ``cast_to_floatx``).

    Args:
        x: a tensor, array or list of any shape, or a number.

    Returns:
        A NumPy array for an array, list or number; a tensor for a tensor.

    >>> from kbackend import K
    >>> K.cast_to_floatx([1, 2]).dtype.name
    'float32'
    """
    if isinstance(x, Tensor) or not isinstance(x, np.ndarray) and owner_of(x) is not None:
        return cast(x, config.floatx())
    return to_numpy(x).astype(dtypes.numpy_dtype(config.floatx()))


@primitive(
    static_value=static_values.same,
    takes_complex=True,
    view=True,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3))),
        call(In((2,), kind="bool"), gradient=False, name="bool"),
        call(In(()), name="scalar"),
    ],
)
def identity(x: TensorLike, name: str | None = None) -> TensorSpec:
    """The same tensor under another name.

    Args:
        x: a tensor of any shape and dtype.
        name: the name of the result.

    >>> from kbackend import K
    >>> K.eval(K.identity(K.constant([1, 2]))).tolist()
    [1.0, 2.0]
    """
    return x


@primitive(
    static_value=static_values.same,
    takes_complex=True,
    name="stop_gradient",
    view=True,
    differentiable=False,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3)), gradient=False),
        call(In((2,), kind="int32"), gradient=False, name="int32"),
    ],
)
def _stop_gradient(x: TensorLike) -> TensorSpec:
    return x


@derived(
    spellings={"variable": "variables"},
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3)), gradient=False),
        call([In((2, 3)), In((2,))], gradient=False, name="list"),
    ],
)
def stop_gradient(variables: TensorLike) -> Any:
    """The same values, treated as constants by gradients.

    Args:
        variables: a tensor of any dtype, of any shape, or a list of tensors.

    Returns:
        A tensor, or a list of tensors.

    >>> from kbackend import K
    >>> x = K.placeholder((2,))
    >>> f = K.function([x], K.gradients(K.sum(x * K.stop_gradient(x)), [x]))
    >>> f([[1., 2.]])[0].tolist()
    [1.0, 2.0]
    """
    if isinstance(variables, (list, tuple)) and all(
        isinstance(v, Tensor) or hasattr(v, "dtype") for v in variables
    ):
        return [_stop_gradient(v) for v in variables]
    return _stop_gradient(variables)


@composite(takes_complex=True, tolerance="exact", rule=lambda x: x, samples=lambda: [
    call(In((2, 3))), call(In((), kind="bool"), gradient=False, name="bool"), call(In((0, 2)), name="empty"),
    call(In((3,), kind="int32"), gradient=False, name="int32")])
def copy(x: TensorLike) -> Any:
    """A copy of a tensor in memory of its own (NumPy's ``copy``).

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> from kbackend.ops import copy
    >>> K.eval(copy(K.constant([1.0, 2.0]))).tolist()
    [1.0, 2.0]
    """
    return identity(x)


__all__ = ["cast", "copy", "stop_gradient"]
