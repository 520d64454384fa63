"""Parts of draws: some rows of a draw that has more of them, without drawing the rows before.

A process of a distributed run has some samples of a batch, and draws for them what one process would have drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.sizes import check_sizes
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.random.draws import (
    Shape,
    _bits_attrs,
    _float_draw_attrs,
    _integer,
    _units,
    random_bits,
    step_sample,
)


def _from_row_rule(step: Any, row: TensorSpec, sizes: Any = (), trial: Any = None, *, shape: Shape,
                   dtype: str = "int64", **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    if row.shape != () or not shape:
        raise ValueError(f"a part of a draw has rows, shape {shape}, and begins at one of them, not at {row}")
    return TensorSpec(shape, dtype)


def _row(value: int) -> In:
    return In((), values=np.asarray(value), kind="int64", gradient=False)


_COMMON: dict[str, Any] = {
    "key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False, "dtypes": ("float32",),
}  # fmt: skip


def _samples(**options: Any) -> list[Sample]:
    common = {**_COMMON, **options}
    return [
        call(step_sample(), _row(3), shape=(2, 7), name="within a block", **common),
        call(step_sample(), _row(0), shape=(3, 5), name="the first rows", **common),
        call(step_sample(), _row(4), [_integer(2)], _integer(3), shape=(None, 3), name="a later trial", **common),
        call(step_sample(), _row(2), shape=(0, 2), name="empty", **common),
        call(step_sample(), _row(2), shape=(), raises=ValueError, name="no rows", **common),
    ]


@composite(random=True, prepare=_bits_attrs, rule=_from_row_rule, differentiable=False, tolerance="exact",
           creates=True, samples=_samples)
def random_bits_from_row(step: TensorLike, row: TensorLike, sizes: TensorList = (),
                         trial: TensorLike | None = None, *, shape: Shape, key: int, op_id: int) -> Any:
    """The rows of :func:`random_bits` from one of them on.

    Args:
        step, sizes, trial, key, op_id: of the whole draw, whose rows have the sizes of those of this part.
        row: an integer scalar, how many rows of the draw come before.
        shape: of this part.

    Returns:
        int64 words.

    Raises:
        ValueError: a scalar draw.
    """
    sizes = list(sizes)
    rows = sizes.pop(0) if shape[0] is None else constant(shape[0], "int64")
    row = cast(row, "int64")
    whole_sizes = [row + cast(rows, "int64"), *sizes]
    whole = random_bits(step, whole_sizes, trial, shape=(None, *shape[1:]), key=key, op_id=op_id)
    return whole[row:]


@composite(random=True, prepare=_float_draw_attrs, rule=_from_row_rule, differentiable=False, tolerance="exact",
           creates=True, samples=lambda: [
               *_samples(dtype="float32"),
               call(step_sample(), _row(3), shape=(2, 3), dtype="float64", name="float64", **_COMMON),
               call(step_sample(), _row(1), shape=(2, 3), dtype="float16", name="float16", **_COMMON)])
def random_unit_from_row(step: TensorLike, row: TensorLike, sizes: TensorList = (),
                         trial: TensorLike | None = None, *, shape: Shape, key: int, op_id: int, dtype: str) -> Any:
    """The rows of :func:`random_unit` from one of them on; operands as in :func:`random_bits_from_row`."""
    words = (*shape, 2) if dtype == "float64" else shape
    return _units(random_bits_from_row(step, row, sizes, trial, shape=words, key=key, op_id=op_id), dtype)


__all__: list[str] = []
