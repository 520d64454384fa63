"""Normal and truncated normal draws."""

from __future__ import annotations

import math
from typing import Any

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.normal_quantile import normal_quantile
from kbackend.ops.elementwise.precision import wide_dtype
from kbackend.ops.elementwise.select import clip
from kbackend.ops.random.draws import (
    Seed,
    Shape,
    _bound,
    _draw_rule,
    _draws,
    _float_draw_attrs,
    _floats,
    _unit_rule,
    _unit_samples,
    draw_between,
    random_unit,
)

_TRUNCATED_AT = 2.0  # standard deviations


@composite(name="random_normal", random=True, prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _normal(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
            key: int, op_id: int, dtype: str) -> Any:
    """Normal quantiles of the midpoints of the intervals that unit uniforms represent.

    Values are at most 5.42 ``stddev`` from ``mean`` in float32, and 8.3 in float64.
    """
    standard = standard_normal(step, sizes, shape=shape, key=key, op_id=op_id, dtype=wide_dtype(dtype))
    return _scaled(standard, mean, stddev, dtype)


@composite(random=True, prepare=_float_draw_attrs, rule=_unit_rule, differentiable=False, creates=True,
           tolerance="exact",
           samples=lambda: [s for s in _unit_samples() if s.kwargs["dtype"] in ("float32", "float64")])
def standard_normal(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape,
                    key: int, op_id: int, dtype: str) -> Any:
    """Normal draws of mean 0 and standard deviation 1 in float32 or float64, with the same bits on every engine."""
    unit = random_unit(step, sizes, trial, shape=shape, key=key, op_id=op_id, dtype=dtype)
    return normal_quantile(unit - 0.5 + (2.0**-54 if dtype == "float64" else 2.0**-25))


def _scaled(standard: Any, mean: Any, stddev: Any, dtype: str) -> Any:
    wide = wide_dtype(dtype)
    return cast(standard * cast(stddev, wide) + cast(mean, wide), dtype)


@composite(name="truncated_normal", random=True, prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _truncated(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *,
               shape: Shape, key: int, op_id: int, dtype: str) -> Any:
    """Normal quantiles of uniforms over the cumulative probabilities within two standard deviations."""
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=wide_dtype(dtype))
    half = math.erf(_TRUNCATED_AT / math.sqrt(2.0)) / 2.0
    standard = normal_quantile(unit * (2.0 * half) - half)
    return _scaled(clip(standard, -_TRUNCATED_AT, _TRUNCATED_AT), mean, stddev, dtype)


@derived(samples=lambda: [
    call((3, 5), seed=7), call((3, 5), 1.0, 0.5, "float64", 7, name="float64"),
    call((3, 2), In((2,)), In((2,), 0.5, 2.0), seed=7, dtypes=("float32",), dynamic=False, name="tensors"),
    call((3,), dtype="int32", seed=7, raises=TypeError, name="integers")])
def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None,
                  seed: Seed = None) -> Tensor:
    """Draw from the normal distribution, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        mean, stddev: numbers or tensors that broadcast to the shape; gradients flow to them.
        dtype: a float dtype; None for floatx.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor. The standard normal draws before scaling have the same bits on every engine.

    Raises:
        ValueError: a negative dimension.
        TypeError: ``dtype`` is not a float dtype.

    >>> from kbackend import K
    >>> K.int_shape(K.random_normal((2, 3)))
    (2, 3)
    """
    return draw_between(_normal, mean, stddev, shape, _floats(dtype), seed)


@derived(samples=lambda: [
    call((3, 5), seed=7), call((3, 5), 1.0, 0.5, "float64", 7, name="float64")])
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None,
                     seed: Seed = None) -> Tensor:
    """Draw from the normal distribution truncated at two ``stddev`` from ``mean``, anew in each run of a program.

    Arguments, result and errors are those of :func:`random_normal`.

    >>> from kbackend import K
    >>> x = K.eval(K.truncated_normal((1000,), 5.0, 0.5))
    >>> bool(x.min() >= 4.0 and x.max() <= 6.0)
    True
    """
    return draw_between(_truncated, mean, stddev, shape, _floats(dtype), seed)


__all__: list[str] = []
