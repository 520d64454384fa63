"""The kernel of dropout, with masks from the words of a Philox stream."""

from __future__ import annotations

from typing import Any

from kbackend.plugin.host.dropout import dropout_mask, noise_shape_of


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    return x * dropout_mask(rate, step, noise_shape_of(x, noise_shape), key, op_id, x.dtype)


def dropout_from_row(
    x: Any, rate: Any, step: Any, row: Any, *, noise_shape: Any = None, key: int, op_id: int
) -> Any:
    return x * dropout_mask(rate, step, noise_shape_of(x, noise_shape), key, op_id, x.dtype, row)


KERNELS = {"dropout": dropout, "dropout_from_row": dropout_from_row}
