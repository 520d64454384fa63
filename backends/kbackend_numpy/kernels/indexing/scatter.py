"""Scattering kernels."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp

from kbackend.plugin.contract import Specialized
from kbackend_numpy.kernels.reduction.reductions import value_of
from kbackend_numpy.recording import primitive

_UFUNCS: dict[str, Any] = {"sum": onp.add, "prod": onp.multiply, "max": onp.maximum, "min": onp.minimum}


def _neutral(dtype: Any, how: str) -> Any:
    if how in ("sum", "prod"):
        return int(how == "prod")
    if dtype.kind in "iu":
        return onp.iinfo(dtype).min if how == "max" else onp.iinfo(dtype).max
    return -onp.inf if how == "max" else onp.inf


@primitive
def segments(data: Any, ids: Any, count: int, how: str) -> Any:
    """The rows reduced within segments; all ids are in ``[0, count)``.

    The order of the rows within a segment is kept. ``ufunc.at`` is fast for vectors only; rows of other data are sorted
    by their ids and reduced by ``reduceat``.
    """
    result = onp.full((count, *data.shape[1:]), _neutral(data.dtype, how), data.dtype)
    if data.ndim == 1:
        _UFUNCS[how].at(result, ids, data)
    elif data.size:
        order = onp.argsort(ids, kind="stable")
        numbers = ids[order]
        starts = onp.flatnonzero(onp.concatenate(([True], numbers[1:] != numbers[:-1])))
        result[numbers[starts]] = _UFUNCS[how].reduceat(data[order], starts, axis=0, dtype=data.dtype)
    return result


@primitive
def rows(x: Any, ids: Any) -> Any:
    return x[ids]


defvjp(rows, lambda ans, x, ids: lambda g: segments(g, ids, x.shape[0], "sum"), argnums=(0,))


def _shares(data: Any, ans: Any, ids: Any) -> Any:
    """The fraction of the gradient of a maximum or minimum for each row; equal ones share it."""
    data, ans = value_of(data), value_of(ans)
    equal = (data == ans[ids]).astype(data.dtype)
    ties = segments(equal, ids, ans.shape[0], "sum")
    return equal / onp.maximum(ties[ids], 1)


def _others(data: Any, ids: Any, count: int) -> Any:
    """The product of all other rows of the segment: of those before and those after, without division."""
    order = onp.argsort(ids, kind="stable")
    numbers = ids[order]
    sorted_rows = rows(data, order)
    products: list[Any] = []
    for start, stop in zip(*_runs(numbers)):
        run = sorted_rows[start:stop]
        one = onp.ones((1, *data.shape[1:]), value_of(data).dtype)
        products.append(_before(run, one) * _before(run[::-1], one)[::-1])
    return rows(np.concatenate(products, axis=0), onp.argsort(order)) if products else data


def _runs(numbers: Any) -> tuple[list[int], list[int]]:
    changes = (onp.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist()
    return ([0, *changes], [*changes, len(numbers)]) if len(numbers) else ([], [])


def _before(run: Any, one: Any) -> Any:
    products = [one]
    for i in range(run.shape[0] - 1):
        products.append(products[-1] * run[i : i + 1])
    return np.concatenate(products, axis=0)


def _segments_vjp(ans: Any, data: Any, ids: Any, count: int, how: str) -> Any:
    if how == "sum":
        return lambda g: rows(g, ids)
    if how == "prod":
        return lambda g: rows(g, ids) * _others(data, ids, count)
    return lambda g: rows(g, ids) * _shares(data, ans, ids)


defvjp(segments, _segments_vjp, argnums=(0,))


def _segment_reduce(specs: Any, shape: tuple[int | None, ...], reduction: str) -> Any:
    (known,) = shape

    def segment_reduce(data: Any, ids: Any, sizes: tuple[Any, ...]) -> Any:
        count = int(sizes[0]) if known is None else known
        outside = (ids < 0) | (ids >= count)
        if outside.any():
            kept = onp.flatnonzero(~outside)
            data, ids = rows(data, kept), ids[kept]
        return segments(data, ids, count, reduction)

    return segment_reduce


KERNELS = {"segment_reduce": Specialized(_segment_reduce)}
