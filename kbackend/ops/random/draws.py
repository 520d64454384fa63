"""Raw draws, random words and unit uniforms, and the code that all draws share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.decorate import composite, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.rounding import floor
from kbackend.streams import counter, stream_of

Shape = tuple[int | None, ...]
Seed = Any  # an int, a SeedGenerator or None


def shape_parts(shape: Any) -> tuple[list[Tensor], Shape]:
    """The sizes in a shape that are tensors, and the shape with None in their positions."""
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if any(d is not None and d < 0 for d in pattern):
        raise ValueError(f"a shape must not have negative dimensions, it is {pattern}")
    return sizes, pattern


def _draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"]), "dtype": dtypes.canonical(attrs["dtype"])}


def _bits_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"])}


def _float_draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    attrs = _draw_attrs(specs, attrs)
    if not dtypes.is_float(attrs["dtype"]):
        raise TypeError(f"a draw of real numbers needs a float dtype, not {attrs['dtype']}")
    return attrs


def _floats(dtype: Any) -> str:
    return config.floatx() if dtype is None else dtypes.canonical(dtype)


def step_sample(value: int = 3) -> In:
    """The operand ``step`` of a sample."""
    return In((), values=np.asarray(value), kind="int64", gradient=False)


def _integer(value: int, kind: str = "int32") -> In:
    return In((), values=np.asarray(value), kind=kind, gradient=False)


def _draws(*operands: Any, **options: Any) -> list[Sample]:
    """Samples of a draw in each float dtype, and of an empty one."""
    common = {"key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False, **options}
    return [
        call(*operands, step_sample(), shape=(3, 7), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(), shape=(5,), dtype="float64", dtypes=("float64",), **common),
        call(*operands, step_sample(), shape=(3, 5), dtype="float16", dtypes=("float16",), **common),
        call(*operands, step_sample(), shape=(0, 2), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(2**31), shape=(), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(), [_integer(2)], shape=(None, 3), dtype="float32", dtypes=("float32",),
             **common),
    ]


def _bits_samples() -> list[Sample]:
    common = {"key": 2**63 + 11, "gradient": False, "dynamic": False, "dtypes": ("float32",)}
    return [
        call(step_sample(), shape=(3, 7), op_id=5, **common),
        call(step_sample(), [_integer(2)], _integer(3), shape=(None, 3), op_id=5, name="a later trial", **common),
        call(step_sample(2**31), (), _integer(2**31 - 1), shape=(), op_id=(1 << 32) - 1, name="largest", **common),
        call(step_sample(), shape=(0, 2), op_id=5, name="empty", **common),
        call(step_sample(), shape=(2,), op_id=5, key=0, gradient=False, dynamic=False, name="key 0"),
    ]


@primitive(random=True, prepare=_bits_attrs, differentiable=False, tolerance="exact", creates=True,
           samples=_bits_samples)
def random_bits(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape, key: int,
                op_id: int) -> TensorSpec:
    """Words of the Philox stream: int64 numbers, uniform in [0, 2**32).

    Args:
        step: an integer scalar modulo 2**32, the number of the run.
        sizes: integer scalars, one for each None in ``shape``.
        trial: an integer scalar modulo 2**32, the number of the attempt of a draw by rejection; None for 0.
        shape: the shape, filled in row-major order.
        key: the seed, 64 bits.
        op_id: the number of the draw, 32 bits.

    Source: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11; see
    :mod:`kbackend.streams`.
    """
    check_sizes(sizes, shape)
    return TensorSpec(shape, "int64")


def _unit_samples() -> list[Sample]:
    common = {"key": 1, "op_id": (1 << 32) - 1, "gradient": False, "dynamic": False}
    return [
        *_draws(),
        call(step_sample(), shape=(9,), dtype="float32", dtypes=("float32",), **common),
        call(step_sample(), (), _integer(2), shape=(9,), dtype="float64", dtypes=("float32",), name="a later trial",
             **common),
    ]


def _unit_rule(step: Any, sizes: Any, trial: Any = None, *, shape: Shape, dtype: str, **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    return TensorSpec(shape, dtype)


_UNIT_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


@composite(random=True, prepare=_float_draw_attrs, rule=_unit_rule, differentiable=False, tolerance="exact",
           creates=True, samples=_unit_samples)
def random_unit(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape, key: int,
                op_id: int, dtype: str) -> Any:
    """Uniform numbers in [0, 1) with the same bits on every engine. Operands as in :func:`random_bits`.

    Args:
        dtype: float32 has the high 24 bits of a word, float64 27 and 26 bits of two words, float16 11 and bfloat16 8.
    """
    words = (*shape, 2) if dtype == "float64" else shape
    return _units(random_bits(step, sizes, trial, shape=words, key=key, op_id=op_id), dtype)


def _units(words: Any, dtype: str) -> Any:
    bits = cast(words, "float64")
    if dtype == "float64":
        return (_high_bits(bits[..., 0], 27) * 2.0**26 + _high_bits(bits[..., 1], 26)) * 2.0**-53
    count = _UNIT_BITS[dtype]
    return cast(_high_bits(bits, count) * 2.0**-count, dtype)


def _high_bits(words: Any, count: int) -> Any:
    return floor(words * 2.0 ** (count - 32))


def _bound(value: float) -> In:
    return In((), values=np.asarray(value), kind="float32", gradient=False)


def _draw_rule(
    first: Any, second: Any, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any
) -> TensorSpec:
    check_sizes(sizes, shape)
    return TensorSpec(shape, dtype)


_SAME_BITS = "the same bits are promised"


def draw(op: Any, operands: Sequence[Any], shape: Any, dtype: str, seed: Seed, name: str | None = None) -> Tensor:
    """A new draw: a node of ``op`` with a stream and a step counter of its own.

    Args:
        op: the op, whose operands are ``operands``, the step and the symbolic sizes.
        operands: its parameters, such as mean and standard deviation.
        shape: ints or integer scalars, or an integer vector.
        dtype: the dtype of the result.
        seed: an integer or SeedGenerator; None for the random stream of the process.
        name: the last part of the path of the stream; None for the name of ``op``.
    """
    sizes, pattern = shape_parts(shape)
    name = name or op.op.name
    key, op_id = stream_of(name, seed)
    return op(*operands, counter(f"{name}_step"), sizes, shape=pattern, key=key, op_id=op_id, dtype=dtype)


def draw_unit(name: str, shape: Any, dtype: str, seed: Seed) -> Tensor:
    """A new draw of uniform numbers in [0, 1)."""
    return draw(random_unit, (), shape, dtype, seed, name)


def draw_between(op: Any, first: Any, second: Any, shape: Any, dtype: str, seed: Seed) -> Tensor:
    """A new draw with two parameters, numbers or tensors."""
    kind = "int64" if dtypes.is_integer(dtype) else dtype
    return draw(op, [v if isinstance(v, Tensor) else constant(v, kind) for v in (first, second)], shape, dtype, seed)


__all__: list[str] = []
