"""What ops make of axes of size 0: the rows of "Axes of size 0" in docs/semantics.md, on every backend.

Each call is made at once, in a graph that knows the sizes, and in one that knows none of those that are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from kbackend import K, ops
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.ops import image
from kbackend.plugin.contract import Target
from kbackend.plugin.select import use_target
from kbackend.testing.plugin import kit_target

NAN, INF = np.nan, np.inf
ONES = np.ones((1, 2), "float32")


@pytest.fixture
def active(kit_backend: str) -> Iterator[Target]:
    """The backend that is checked, as the active one."""
    with use_target(kit_target(kit_backend)) as target:
        yield target


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


def labels(*shape: int) -> np.ndarray:
    return zeros(*shape, dtype="int32")


class Row(NamedTuple):
    """A function of arrays, the arrays, and what it gives (arrays) or the error it raises."""

    call: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    wanted: Any


def row(call: Callable[..., Any], *arrays: np.ndarray, wanted: Any) -> Row:
    return Row(call, arrays, wanted)


def nothing(*shape: int) -> np.ndarray:
    """A result without elements."""
    return zeros(*shape)


ROWS: dict[str, list[Row]] = {
    "sums are 0, products 1": [
        row(lambda x: K.sum(x, axis=1), zeros(2, 0), wanted=[0, 0]),
        row(lambda x: K.prod(x, axis=1), zeros(2, 0), wanted=[1, 1]),
        row(lambda x: ops.norm(x, axis=1), zeros(2, 0), wanted=[0, 0]),
        row(ops.matmul, zeros(2, 0), zeros(0, 2), wanted=[[0, 0], [0, 0]]),
        row(lambda x: K.cumsum(x, 1), zeros(2, 0), wanted=nothing(2, 0)),
        row(lambda x: K.any(x > 0, axis=1), zeros(2, 0), wanted=[False, False]),
        row(lambda x: K.all(x > 0, axis=1), zeros(2, 0), wanted=[True, True]),
    ],
    "means are NaN": [
        row(lambda x: K.mean(x, axis=1), zeros(2, 0), wanted=[NAN, NAN]),
        row(lambda x: K.var(x, axis=1), zeros(2, 0), wanted=[NAN, NAN]),
        row(lambda x: K.std(x, axis=1), zeros(2, 0), wanted=[NAN, NAN]),
        row(lambda x: ops.average(x, axis=1), zeros(2, 0), wanted=[NAN, NAN]),
        row(lambda y, p: K.mean(K.binary_crossentropy(y, p)), zeros(0, 3), zeros(0, 3), wanted=NAN),
    ],
    "extremes and what is picked are refused": [
        row(lambda x: K.max(x, axis=1), zeros(2, 0), wanted=ValueError),
        row(lambda x: K.min(x, axis=1), zeros(0, 0), wanted=ValueError),
        row(lambda x: K.max(x, axis=1), zeros(0, 3), wanted=nothing(0)),
        row(lambda x: ops.max(x, axis=1, initial=2.0), zeros(2, 0), wanted=[2, 2]),
        row(lambda x: K.argmax(x, axis=1), zeros(2, 0), wanted=ValueError),
        row(lambda x: ops.median(x, axis=1), zeros(2, 0), wanted=ValueError),
        row(lambda x: ops.quantile(x, 0.5, axis=1), zeros(2, 0), wanted=ValueError),
        row(lambda x: K.logsumexp(x, axis=1), zeros(2, 0), wanted=ValueError),
        row(lambda x: ops.top_k(x, 1)[0], zeros(2, 0), wanted=ValueError),
        row(lambda x: ops.top_k(x, 0)[0], zeros(2, 0), wanted=nothing(2, 0)),
    ],
    "what keeps the shape gives nothing": [
        row(K.softmax, zeros(2, 0), wanted=nothing(2, 0)),
        row(ops.log_softmax, zeros(2, 0), wanted=nothing(2, 0)),
        row(ops.sort, zeros(2, 0), wanted=nothing(2, 0)),
        row(ops.argsort, zeros(2, 0), wanted=labels(2, 0)),
        row(lambda x: K.l2_normalize(x, axis=1), zeros(2, 0), wanted=nothing(2, 0)),
        row(ops.layer_normalization, zeros(2, 0), wanted=nothing(2, 0)),
        row(ops.layer_normalization, zeros(0, 2), wanted=nothing(0, 2)),
    ],
    "batch normalization has statistics of 0": [
        row(lambda x, g, b: K.normalize_batch_in_training(x, g, b, [0]), zeros(0, 2), zeros(2), zeros(2),
            wanted=(nothing(0, 2), [0, 0], [0, 0])),
        row(lambda x: K.normalize_batch_in_training(x, None, None, [0, 1]), zeros(3, 0, 2),
            wanted=(nothing(3, 0, 2), [0, 0], [0, 0])),
    ],
    "windows need elements": [
        row(lambda x, k: K.conv2d(x, k, padding="same"), zeros(1, 0, 4, 2), zeros(2, 2, 2, 3), wanted=ValueError),
        row(lambda x, k: K.conv2d(x, k), zeros(1, 4, 4, 0), zeros(2, 2, 0, 3), wanted=ValueError),
        row(lambda x, k: K.conv1d(x, k, padding="causal"), zeros(1, 0, 2), zeros(2, 2, 3), wanted=ValueError),
        row(lambda x, k: K.conv2d_transpose(x, k, (1, None, None, 3)), zeros(1, 4, 0, 2), zeros(2, 2, 3, 2),
            wanted=ValueError),
        row(lambda x: K.pool2d(x, (2, 2), padding="same"), zeros(1, 0, 4, 2), wanted=ValueError),
        row(lambda x: K.pool2d(x, (2, 2), padding="same", pool_mode="avg"), zeros(1, 4, 4, 0), wanted=ValueError),
        row(lambda x: K.pool2d(x, (2, 2), (2, 2)), zeros(0, 4, 4, 2), wanted=nothing(0, 2, 2, 2)),
        row(lambda x: K.pool2d(x, (2, 2), (2, 2), pool_mode="avg"), zeros(0, 4, 4, 2), wanted=nothing(0, 2, 2, 2)),
    ],
    "loops without a step": [
        row(lambda x: K.map_fn(lambda r: K.sum(r), x), zeros(0, 3), wanted=nothing(0)),
        row(lambda x, i: K.foldl(lambda a, r: a + r, x, i), zeros(0, 2), np.ones(2, "float32"), wanted=[1, 1]),
        row(lambda x: K.foldl(lambda a, r: a + r, x), zeros(0, 2), wanted=IndexError),
        row(lambda x: K.foldr(lambda a, r: a + r, x), zeros(0, 2), wanted=IndexError),
        row(lambda x: K.foldl(lambda a, r: a + r, x), zeros(2, 0), wanted=nothing(0)),
        row(lambda x, s: K.rnn(lambda z, st: (z + st[0], [z + st[0]]), x, [s]), zeros(1, 0, 2), ONES,
            wanted=([[0, 0]], nothing(1, 0, 2), [[1, 1]])),
        row(K.simple_rnn, zeros(1, 0, 2), ONES, zeros(2, 2), zeros(2, 2), wanted=(nothing(1, 0, 2), [[1, 1]])),
    ],
    "places in nothing": [
        row(K.gather, zeros(0, 3), labels(0), wanted=nothing(0, 3)),
        row(K.gather, zeros(0, 3), labels(2), wanted=IndexError),
        row(lambda x: x[0] if isinstance(x, Tensor) else ops.get_item(x, 0), zeros(0, 3), wanted=IndexError),
        row(lambda i: K.one_hot(i, 3), labels(0), wanted=nothing(0, 3)),
        row(lambda x, i: ops.segment_sum(x, i, num_segments=2), zeros(0, 1), labels(0), wanted=[[0], [0]]),
        row(lambda x, i: ops.segment_max(x, i, num_segments=2), zeros(0, 1), labels(0), wanted=[[-INF], [-INF]]),
        row(lambda p, t: K.in_top_k(p, t, 1), zeros(2, 0), labels(2), wanted=[False, False]),
    ],
    "losses over no classes": [
        row(lambda y, p: K.categorical_crossentropy(y, p, from_logits=True), zeros(2, 0), zeros(2, 0), wanted=[0, 0]),
        row(lambda y, p: K.categorical_crossentropy(y, p), zeros(2, 0), zeros(2, 0), wanted=[0, 0]),
        row(lambda y, p: K.sparse_categorical_crossentropy(y, p, from_logits=True), labels(0), zeros(0, 0),
            wanted=ValueError),
        row(lambda y, p: K.categorical_crossentropy(y, p, from_logits=True), zeros(0, 2), zeros(0, 2),
            wanted=nothing(0)),
    ],
    "signals and images": [
        row(lambda x: ops.rfft(x)[0], zeros(2, 0), wanted=ValueError),
        row(lambda x, y: ops.fft((x, y))[0], zeros(2, 0), zeros(2, 0), wanted=ValueError),
        row(lambda x: ops.rfft(x, 2)[0], zeros(2, 0), wanted=[[0, 0], [0, 0]]),
        row(lambda x: image.resize(x, (2, 2)), zeros(1, 0, 2, 1), wanted=ValueError),
        row(lambda x: image.resize(x, (2, 2)), zeros(0, 1, 1, 1), wanted=nothing(0, 2, 2, 1)),
    ],
    "matrices of nothing": [
        row(ops.det, zeros(0, 0), wanted=1),
        row(ops.inv, zeros(0, 0), wanted=nothing(0, 0)),
        row(ops.cholesky, zeros(0, 0), wanted=nothing(0, 0)),
        row(ops.solve, zeros(0, 0), zeros(0, 2), wanted=nothing(0, 2)),
        row(lambda x: ops.svd(x, full_matrices=False)[1], zeros(0, 3), wanted=nothing(0)),
        row(lambda x: ops.eigh(x)[0], zeros(0, 0), wanted=nothing(0)),
    ],
    "no element, no error": [
        row(lambda x: ops.floor_divide(x, 0), labels(0), wanted=labels(0)),
        row(lambda x: K.reshape(x, (-1, 2)), zeros(0, 2), wanted=nothing(0, 2)),
    ],
}  # fmt: skip


def _compare(found: Any, wanted: Any) -> None:
    arrays = [np.asarray(a) for a in found]
    expected = [np.asarray(w) for w in (wanted if isinstance(wanted, tuple) else (wanted,))]
    assert [a.shape for a in arrays] == [w.shape for w in expected]
    for array, right in zip(arrays, expected):
        np.testing.assert_array_equal(array, right)


def _at_once(one: Row, target: Target) -> list[np.ndarray]:
    found = tree_leaves(one.call(*(target.from_numpy(a) for a in one.arrays)))
    return [target.backend.to_numpy(t) for t in found]


def _in_graph(one: Row, known: bool) -> list[np.ndarray]:
    inputs = [K.placeholder(tuple(n if n or known else None for n in a.shape), dtype=a.dtype.name) for a in one.arrays]
    return K.function(inputs, list(tree_leaves(one.call(*inputs))))(list(one.arrays))


@pytest.mark.parametrize("title", ROWS)
def test_axes_of_size_0(active: Target, title: str) -> None:
    for one in ROWS[title]:
        runs = (lambda one: _at_once(one, active), lambda one: _in_graph(one, True), lambda one: _in_graph(one, False))
        for run in runs:
            if isinstance(one.wanted, type):
                with pytest.raises(one.wanted):
                    run(one)
            else:
                _compare(run(one), one.wanted)


def test_an_error_of_a_size_that_is_known_when_run_changes_nothing(active: Target) -> None:
    x, steps = K.placeholder((None, None)), K.variable(0.0)
    step = K.function([x], [K.max(x, axis=1)], updates=[K.update_add(steps, 1.0)])
    for _ in range(2):
        with pytest.raises(ValueError, match="max"):
            step([zeros(2, 0)])
    assert float(K.get_value(steps)) == 0.0
    assert step([zeros(0, 3)])[0].shape == (0,)
    assert float(K.get_value(steps)) == 1.0


def test_an_empty_batch_leaves_moving_averages_and_weights_alone(active: Target) -> None:
    from kbackend import layers

    x = K.placeholder((None, 2))
    layer = layers.BatchNormalization()
    y = layer(x, training=1)
    by_gamma, by_beta = K.gradients(K.sum(y * y + y), [layer.gamma, layer.beta])
    step = K.function([x], [y, by_gamma, by_beta], updates=layer.updates)
    step([[[1.0, 2.0], [3.0, 6.0]]])
    before = [K.get_value(w) for w in (layer.moving_mean, layer.moving_variance)]
    assert before[0].tolist() != [0.0, 0.0]
    found = step([zeros(0, 2)])
    assert found[0].shape == (0, 2)
    assert found[1].tolist() == found[2].tolist() == [0.0, 0.0]
    for kept, weight in zip(before, (layer.moving_mean, layer.moving_variance)):
        assert K.get_value(weight).tolist() == kept.tolist()
