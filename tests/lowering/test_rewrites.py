"""Each rewrite at its extremes: what it puts in place of nodes has their values and gradients.

The table has every op with a stable form; an op that gets one and no row fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from kbackend import K, ops
from kbackend.declare.op import REGISTRY

INF, NAN = np.inf, np.nan
EXTREMES = np.array([
    0.0, -0.0, 1.0, -1.0, 0.5, INF, -INF, NAN, 1e-45, -1e-45, 1e-38, 3e38, -3e38, 88.7, -103.0, 15.9, -16.2, 1e-7,
])  # fmt: skip
#: each with each, and a number beside them
PAIRS = np.array([[a, b, -2.0] for a in EXTREMES for b in EXTREMES])
ONE_HOT = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.2, 0.3, 0.5], [0, 0, 0]])


class Row(NamedTuple):
    """A program that is rewritten.

    Attributes:
        inner, outer: the nodes before, and the one that is rewritten with them.
        x: the values.
        others: values of further operands of ``outer``.
        rtol, atol: how far the plain form itself is from the exact value.
        gradients_at_nan: whether they are compared.
    """

    inner: Callable[[Any], Any]
    outer: Callable[..., Any]
    x: np.ndarray
    others: Sequence[np.ndarray] = ()
    rtol: float = 1e-6
    atol: float = 0.0
    gradients_at_nan: bool = True


def _crossentropies() -> dict[str, list[Row]]:
    # the probabilities have 7 digits, and so does 1 - p near 1, which the forms of logits do not lose
    found: dict[str, list[Row]] = {name: [] for name in ("categorical", "sparse_categorical", "binary")}
    lossy = {"rtol": 1e-5, "atol": 2e-7}
    for row in ONE_HOT:
        target = np.tile(row, (len(PAIRS), 1))
        label = np.full(len(PAIRS), row.argmax(), "int32")
        found["categorical"].append(
            Row(K.softmax, lambda h, t: K.categorical_crossentropy(t, h), PAIRS, [target], **lossy)
        )
        found["sparse_categorical"].append(
            Row(K.softmax, lambda h, t: K.sparse_categorical_crossentropy(t, h), PAIRS, [label], **lossy)
        )
        binary = np.full(len(EXTREMES), row[0])
        # engines clip NaN with a gradient of 0 or NaN; the loss is NaN on all
        found["binary"].append(Row(
            K.sigmoid, lambda h, t: K.binary_crossentropy(t, h), EXTREMES, [binary], 1e-2, 2e-7, gradients_at_nan=False
        ))  # fmt: skip
    return {f"{name}_crossentropy": rows for name, rows in found.items()}


WINDOWS = np.array([[a, b, c] for a in EXTREMES for b in EXTREMES[:8] for c in (-1.0, 0.0)])
FORMS: dict[str, list[Row]] = {
    **_crossentropies(),
    "max_pool": [
        Row(K.relu, lambda h, p=p: K.pool2d(h, (1, 2), (1, 1), p), WINDOWS[:, None, :, None], gradients_at_nan=False)
        for p in ("valid", "same")
    ],
    "mean": [
        Row(lambda x: K.mean(x, axis=-1), lambda h: K.mean(h), PAIRS[n : n + 1]) for n in range(len(PAIRS))
    ],
}


def programs(row: Row, dtype: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Value and gradient of one program, and of a program for each part, which nothing rewrites."""
    x = K.placeholder(row.x.shape, dtype=dtype)
    cast = [a if a.dtype.kind == "i" else a.astype(dtype) for a in row.others]
    others = [K.placeholder(a.shape, dtype=a.dtype.name) for a in cast]
    h = row.inner(x)
    y = row.outer(h, *others)
    found = K.function([x, *others], [y, *K.gradients(K.sum(y), [x])])([row.x, *cast])
    middle = K.function([x], [h])([row.x])[0]
    apart, weights = (K.placeholder(h.shape, dtype=dtype) for _ in range(2))
    y = row.outer(apart, *others)
    value, gradient = K.function([apart, *others], [y, *K.gradients(K.sum(y), [apart])])([middle, *cast])
    back = K.function([x, weights], K.gradients(K.sum(h * weights), [x]))([row.x, gradient])[0]
    return found, [value, back]


def test_every_stable_form_has_a_row():
    assert {name for name, op in REGISTRY.items() if op.stable_form is not None} == set(FORMS)
    print(f"{sum(map(len, FORMS.values()))} programs of {len(FORMS)} stable forms")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMS)
def test_stable_forms(each_backend, name, dtype):
    rows = FORMS[name]
    if name == "mean" and each_backend != "numpy":
        rows = rows[::40]  # a program each, which other engines make slowly
    for row in rows:
        (value, gradient), (plain, expected) = programs(row, dtype)
        np.testing.assert_allclose(value, plain, rtol=row.rtol, atol=row.atol)
        seen = np.isfinite(row.x) if not row.gradients_at_nan else np.full(row.x.shape, True)
        if row.x.ndim > 1 and not row.gradients_at_nan:  # a window with NaN
            seen = np.broadcast_to(seen.all(axis=2, keepdims=True), row.x.shape)
        np.testing.assert_allclose(gradient[seen], expected[seen], rtol=row.rtol, atol=row.atol)


@pytest.mark.parametrize("make", [
    lambda x, zero: K.clip(x, zero, 1.0), lambda x, zero: ops.pad(x, ((1, 0),), constant_values=zero),
    lambda x, zero: x * zero, lambda x, zero: ops.maximum(x, K.constant([zero, zero])),
    lambda x, zero: ops.nan_to_num(x, nan=zero),
], ids=["clip", "pad", "a constant", "an array", "nan_to_num"])  # fmt: skip
def test_zeros_of_either_sign_are_two_values(each_backend, make):
    x = K.placeholder((2,))
    both = K.function([x], [make(x, 0.0), make(x, -0.0)])([[-1.0, NAN]])
    for found, zero in zip(both, (0.0, -0.0)):
        alone = K.function([x], [make(x, zero)])([[-1.0, NAN]])[0]
        np.testing.assert_array_equal(np.signbit(found), np.signbit(alone))


def test_what_is_computed_once(each_backend):
    x = K.placeholder((2,))
    outputs = [K.exp(x), K.exp(x), K.clip(x, 0.5, 1.0), K.clip(x, 0.5, 1.0)]
    program = K.function([x], outputs)
    program([[0.0, 1.0]])
    assert program.source.count(" exp(") == 1 and program.source.count(" clip_range(") == 1
