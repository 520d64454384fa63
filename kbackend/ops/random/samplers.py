"""Rejection sampling, for the gamma, beta and binomial draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend.declare.call import make_node, to_numpy
from kbackend.declare.op import REGISTRY
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import broadcast
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.arrays.sizes import check_sizes
from kbackend.ops.control.subgraph import loop_step
from kbackend.ops.control.while_loop import classic_while_loop
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.random.draws import random_unit, step_sample
from kbackend.ops.random.normal import standard_normal
from kbackend.ops.reduction.reductions import any_

#: the smallest result of a gamma draw; engines treat subnormal numbers differently
_LEAST = {"float64": 2.0**-1022, "float32": 2.0**-126, "bfloat16": 2.0**-126, "float16": 2.0**-24}
#: attempts of rejection sampling number their trials from 0 up; single draws use the last trials
_LAST_TRIAL = (1 << 32) - 1
#: shape parameters of gamma variables from the first on count as infinite, those below the second as 0
_LARGEST, _SMALLEST = 1e300, 2.0**-1022


def _check_fits(parameter: TensorSpec, shape: Shape) -> None:
    found = broadcast(parameter.shape, shape)
    if len(found) > len(shape) or any(d is not None and d != f for d, f in zip(shape, found)):
        raise ValueError(f"a parameter of shape {parameter.shape} does not broadcast to the shape {shape} of the draw")


def _one(first: TensorSpec, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    _check_fits(first, shape)
    return TensorSpec(shape, dtype)


def _two(
    first: TensorSpec, second: TensorSpec, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any
) -> TensorSpec:
    _check_fits(second, shape)
    return _one(first, step, sizes, shape=shape, dtype=dtype)


def _given(*numbers: float) -> In:
    shape = () if len(numbers) == 1 else (len(numbers),)
    return In(shape, values=np.reshape(numbers, shape), kind="float32", gradient=False)


def _draws(*operands: In) -> list[Sample]:
    """Samples of a draw, one of them with a symbolic size."""
    common = {"key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False}
    count = In((), values=2, kind="int32", gradient=False)
    return [
        call(*operands, step_sample(), shape=(3, 4), dtype="float64", **common),
        call(*operands, step_sample(2**31), [count], shape=(None, 4), dtype="float32", name="size", **common),
        call(*operands, step_sample(), shape=(3,), dtype="float32", raises=ValueError, name="parameters larger",
             **common),
        call(*operands, step_sample(), shape=(3, 4), dtype="int32", raises=TypeError, name="int32", **common),
    ]


def _zeros(sizes: Any, shape: Shape) -> Any:
    attrs = {"shape": shape, "value": 0.0, "dtype": "float64", "name": None}
    return make_node(REGISTRY["fill"], (tuple(sizes),), attrs)


def _attempts(shape: Shape, sizes: Any, wanted: Any, attempt: Callable[[Any], tuple[Any, Any]]) -> Any:
    """The value of the first accepted attempt for each wanted element, 0 for the others.

    Args:
        wanted: bool, broadcasts to the shape.
        attempt: a function of the number of the attempt that returns values and whether they are accepted.
    """
    zeros = _zeros(sizes, shape)

    def step(number: Any, drawn: Any, pending: Any) -> list[Any]:
        value, accepted = attempt(number)
        drawn = select_elements(pending & accepted, value, drawn)
        return [number + 1, drawn, pending & ~accepted]

    start = [constant(0, "int64"), zeros, wanted & (zeros == 0.0)]
    return classic_while_loop(lambda number, drawn, pending: any_(pending), step, start)[1]


class _Words:
    """The unit uniforms and standard normals of one draw, in float64."""

    def __init__(self, step: Any, sizes: Any, shape: Shape, key: int, op_id: int) -> None:
        # The loop would mix its index into a step that is a counter; a node is not mixed, and the trial is the index.
        step = loop_step(step, constant(0, "int64"))
        self.common: dict[str, Any] = {"step": step, "sizes": sizes, "shape": shape, "key": key,
                                       "op_id": op_id, "dtype": "float64"}
        self.sizes, self.shape = sizes, shape

    def unit(self, trial: Any) -> Any:
        """Uniform numbers in [0, 1)."""
        return random_unit(trial=constant(trial, "int64") if isinstance(trial, int) else trial, **self.common)

    def positive(self, trial: Any) -> Any:
        """Uniform numbers in (0, 1]."""
        return 1.0 - self.unit(trial)

    def normal(self, trial: Any) -> Any:
        return standard_normal(trial=trial, **self.common)


def _wide(parameter: Any) -> Any:
    return cast(stop_gradient(parameter), "float64")


def _narrow(draws: Any, dtype: str) -> Any:
    """The cast to the dtype of the result; by way of float32, because engines round float64 to 16 bits differently."""
    return draws if dtype == "float64" else cast(cast(draws, "float32"), dtype)


def _parameter(value: Any, name: str, wanted: str, holds: Callable[[np.ndarray], Any]) -> Any:
    """A parameter as an operand; concrete values are checked."""
    if isinstance(value, Tensor):
        return value
    numbers = to_numpy(value).astype(np.float64)
    if not np.all(holds(numbers)):
        raise ValueError(f"{name} must be {wanted}, it is {value!r}")
    return constant(numbers, "float64")


def _positive(value: Any, name: str) -> Any:
    return _parameter(value, name, "positive and finite", lambda v: (v > 0) & (v < math.inf))



