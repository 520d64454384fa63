"""Dropout, with masks of the same bits on every engine."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import ones_like, zeros_like
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.precision import wide_dtype
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.random.draws import random_unit, step_sample
from kbackend.ops.random.rows import random_unit_from_row
from kbackend.streams import counter, stream_of

Shape = tuple[int | None, ...]


def _dropout_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    noise = attrs.get("noise_shape")
    if noise is None:
        return attrs
    shape = specs[0].shape
    noise = tuple(noise)
    if len(noise) != len(shape):
        raise ValueError(f"noise_shape {noise} must have an entry for each dimension of x {shape}")
    for wanted, have in zip(noise, shape):
        if wanted not in (None, 1) and have is not None and wanted != have:
            raise ValueError(f"noise_shape {noise} does not fit x {shape}: entries are 1, None or the size of x")
    noise = tuple(1 if n == 1 else None for n in noise)
    return {**attrs, "noise_shape": None if 1 not in noise else noise}


def _dropout_rule(x: TensorSpec, rate: TensorSpec, step: TensorSpec, **attrs: Any) -> TensorSpec:
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"dropout needs a float tensor, not {x.dtype}")
    if rate.shape != () or not dtypes.is_float(rate.dtype):
        raise ValueError(f"the rate must be a float scalar, not {rate}")
    return x


def _dropout_samples() -> list[Sample]:
    x = In((4, 6))

    def rate(value: float, kind: str = "float32") -> In:
        return In((), values=np.asarray(value), kind=kind, gradient=False)

    common = {"key": 99, "op_id": 4}
    return [
        call(x, rate(0.3), step_sample(), **common),
        call(x, rate(0.3, "float64"), step_sample(), dtypes=("float64",), **common),
        call(x, rate(0.0), step_sample(), name="rate 0", **common),
        call(In((2, 3), 0.5, 2.0), rate(1.0), step_sample(), name="rate 1 gives zeros", row=28,
             expect=np.zeros((2, 3)), expect_gradient=np.zeros((2, 3)), **common),
        call(In((2, 3, 4)), rate(0.5), step_sample(), noise_shape=(None, 1, 4), name="noise_shape", **common),
        call(In((0, 3)), rate(0.5), step_sample(), name="empty", **common),
        call(In(()), rate(0.5), step_sample(), name="scalar", dynamic=False, **common),
        call(x, rate(0.5), step_sample(), noise_shape=(3, 6), raises=ValueError, dynamic=False, **common),
    ]


@composite(name="dropout", random=True, hyperparameters=("rate",), prepare=_dropout_attrs, rule=_dropout_rule,
           samples=_dropout_samples)
def _dropout(x: TensorLike, rate: TensorLike, step: TensorLike, *, noise_shape: Shape | None = None, key: int,
             op_id: int) -> Any:
    """``x`` times a mask of zeros and ``1 / (1 - rate)``.

    An element is kept where its unit uniform is at least ``rate``. Uniforms have 24 bits and are compared in float32,
    whatever the dtype of ``x``.
    """
    sizes, shape = _mask_shape(x, noise_shape)
    return _masked(x, rate, random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype="float32"))


def _from_row_rule(x: TensorSpec, rate: TensorSpec, step: TensorSpec, row: TensorSpec, **attrs: Any) -> TensorSpec:
    if row.shape != () or not x.ndim:
        raise ValueError(f"a part of a mask has rows, x is {x}, and begins at one of them, not at {row}")
    return _dropout_rule(x, rate, step, **attrs)


def _from_row_samples() -> list[Sample]:
    rate, row = (In((), values=np.asarray(v), kind=k, gradient=False) for v, k in ((0.4, "float32"), (3, "int64")))
    common = {"key": 99, "op_id": 4}
    return [
        call(In((4, 6)), rate, step_sample(), row, **common),
        call(In((2, 3, 5)), rate, step_sample(), row, noise_shape=(None, 1, 5), name="noise_shape", **common),
        call(In(()), rate, step_sample(), row, raises=ValueError, dynamic=False, name="scalar", **common),
    ]


@composite(random=True, hyperparameters=("rate",), prepare=_dropout_attrs, rule=_from_row_rule,
           samples=_from_row_samples)
def dropout_from_row(x: TensorLike, rate: TensorLike, step: TensorLike, row: TensorLike, *,
                     noise_shape: Shape | None = None, key: int, op_id: int) -> Any:
    """:func:`dropout` of rows of a tensor that has more of them, of which ``row`` come before; the mask is that part of
    the whole mask.

    Raises:
        ValueError: a scalar.
    """
    sizes, shape = _mask_shape(x, noise_shape)
    return _masked(x, rate, random_unit_from_row(step, row, sizes, shape=shape, key=key, op_id=op_id, dtype="float32"))


def _mask_shape(x: Any, noise_shape: Shape | None) -> tuple[list[Any], Shape]:
    """The shape of the mask, and its sizes that are tensors."""
    known = tuple(x.shape)
    shape = tuple(k if n is None else n for n, k in zip(noise_shape or (None,) * len(known), known))
    return [extent(x, (axis,)) for axis, d in enumerate(shape) if d is None], shape


def _masked(x: Any, rate: Any, unit: Any) -> Any:
    dtype = dtype_of(x)
    wide = wide_dtype(dtype)
    kept = unit >= cast(rate, "float32")
    rest = 1.0 - cast(rate, wide)
    scale = cast(1.0 / select_elements(rest > 0.0, rest, ones_like(rest)), dtype)
    return x * select_elements(kept, scale, zeros_like(scale))


def _is_number(d: Any) -> bool:
    return d is not None and not isinstance(d, Tensor)


def _check_rate(level: Any) -> None:
    if not 0 <= level <= 1:
        raise ValueError(f"the rate of dropout must be in [0, 1], it is {level!r}")


def _entries(shape: Tensor) -> Any:
    """The static entries of the shape of a tensor, None where they are not known: those must be sizes, not 1."""
    if shape.node.op.name != "shape":
        raise TypeError(f"noise_shape must be a list or tuple, or K.shape of a tensor, it is {shape!r}")
    return shape.node.inputs[0].shape


@derived(traced=False, samples=lambda: [call(In((2, 3), 0.5, 2.0), 1, row=28, expect=np.zeros((2, 3))),
                          call(In((2, 3)), 1.5, raises=ValueError),
                          call(In((2, 3)), -0.1, raises=ValueError)])
def dropout(x: TensorLike, level: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    """Set elements of ``x`` to zero with probability ``level`` and divide the others by ``1 - level``.

    Args:
        x: a float tensor.
        level: a number in [0, 1], or a scalar variable or tensor, which is not checked. 1 gives zeros.
        noise_shape: the shape of the mask: for each dimension of ``x`` 1, along which the mask is broadcast, or None,
            the size or a symbolic scalar, along which elements are independent; or ``K.shape`` of a tensor. None for
            the shape of ``x``.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A tensor of the shape and dtype of ``x``, drawn anew in each run of a program. For concrete ``x`` and ``level``
        a concrete tensor.

    Raises:
        ValueError: a level outside [0, 1], or a noise shape that does not fit.
        TypeError: ``x`` is not a float tensor, or ``noise_shape`` is another tensor.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    >>> from kbackend import K
    >>> K.eval(K.dropout(K.ones((2, 2)), 1)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    dtype = "float64" if dtype_of(x) == "float64" else "float32"
    symbolic = isinstance(x, Tensor) or isinstance(level, Tensor)
    if isinstance(level, (bool, int, float, np.number)):
        _check_rate(level)
        level = constant(float(level), dtype) if symbolic else np.asarray(level, dtype)
    if isinstance(noise_shape, Tensor):
        noise_shape = _entries(noise_shape)
    if noise_shape is not None:
        noise_shape = tuple(operator.index(d) if _is_number(d) else None for d in noise_shape)
    key, op_id = stream_of("dropout", seed)
    step = counter("dropout_step") if symbolic else 0
    return _dropout(x, level, step, noise_shape=noise_shape, key=key, op_id=op_id)


__all__: list[str] = []
