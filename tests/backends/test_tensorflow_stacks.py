"""Stacks of one result of an op with several, which TensorFlow's graph optimizer made tiles of another result."""

import numpy as np
import pytest

import kbackend
from kbackend import K, ops

pytestmark = pytest.mark.engine("tensorflow")
ROWS = np.arange(10.0).reshape(2, 5)[:, ::-1]


@pytest.fixture(autouse=True)
def tensorflow():
    with kbackend.use_backend("tensorflow"):
        yield


@pytest.mark.parametrize("copy", [lambda t: t, K.identity, lambda t: K.reshape(t, (5,)), K.stop_gradient])
def test_of_a_part(copy):
    x = K.placeholder((2, 5))
    part = ops.unstack(x, axis=0)[1]
    both, three = K.function([x], [K.stack([part, copy(part)]), K.stack([part, part, copy(part)], axis=1)])([ROWS])
    assert both.tolist() == [ROWS[1].tolist()] * 2
    assert three.tolist() == np.stack([ROWS[1]] * 3, axis=1).tolist()


def test_in_a_branch_and_in_a_loop():
    x = K.placeholder((2, 5))

    def doubled(rows):
        part = ops.split(rows, 2, axis=0)[1]
        return K.concatenate([part, part], axis=0) + K.reshape(K.stack([part, part]), (2, 5))

    chosen = ops.cond(K.sum(x) > 0, lambda: K.stack([ops.unstack(x, axis=0)[1]] * 2), lambda: x)
    looped = K.while_loop(lambda i, s: i < 2, lambda i, s: [i + 1, doubled(s)], [K.constant(0, "int32"), x])[1]
    first, second = K.function([x], [chosen, looped])([ROWS])
    assert first.tolist() == [ROWS[1].tolist()] * 2
    assert second.tolist() == [(4 * ROWS[1]).tolist()] * 2


def test_in_a_gradient_and_in_the_gradient_of_a_loop():
    """The gradient of unstack is a stack of what arrives: here one result of the gradient of another stack, twice."""
    x, other = K.placeholder((2, 5)), K.placeholder((5,))

    def folded(rows):
        upper, lower = ops.unstack(rows, axis=0)
        return K.stack([other, upper + lower])

    weights = np.arange(10.0).reshape(2, 5)
    plain = K.gradients(K.sum(folded(x) * weights), [x])[0]
    looped = K.while_loop(lambda i, s: i < 2, lambda i, s: [i + 1, folded(s)], [K.constant(0, "int32"), x])[1]
    by_loop = K.gradients(K.sum(looped * weights), [x])[0]
    found = K.function([x, other], [plain, by_loop])([ROWS, np.ones(5)])
    assert found[0].tolist() == found[1].tolist() == [weights[1].tolist()] * 2


def test_of_a_size_in_a_shape():
    x = K.placeholder((None, None))
    columns = ops.unstack(K.shape(x), axis=0)[1]
    square = K.reshape(K.arange(9), K.stack([columns, columns]))
    assert K.function([x], [square])([np.zeros((2, 3))])[0].tolist() == np.arange(9).reshape(3, 3).tolist()


def test_one_tensor_of_a_stack_of_constants_keeps_its_new_axes():
    """TensorFlow's graph optimizer takes the tensor itself in place of the slice."""
    with kbackend.use_backend("tensorflow"):
        x = K.placeholder((None, 3))
        one = K.ones_like(K.constant(np.zeros(4, "float32")))
        stacked = K.stack([one, one * 2.0, K.zeros_like(one)], axis=1)
        pieces = [stacked[:, 1, None, None], stacked[..., 1, None], stacked[None, :, 0], stacked[1, None, :]]
        found = K.function([x], [p + 0.0 * K.sum(x) for p in pieces])([np.ones((2, 3))])
    whole = np.stack([np.ones(4), np.full(4, 2.0), np.zeros(4)], 1)
    wanted = [whole[:, 1, None, None], whole[..., 1, None], whole[None, :, 0], whole[1, None, :]]
    for array, right in zip(found, wanted):
        assert array.shape == right.shape
        np.testing.assert_array_equal(array, right)


def test_so_it_does_in_a_branch():
    x = K.placeholder((None, 3))

    def piece():
        one = K.ones_like(K.constant(np.zeros(4, "float32")))
        return K.stack([one, one * 2.0], axis=1)[:, 1, None, None]

    chosen = ops.cond(K.sum(x) > 0, piece, lambda: piece() * 2.0)
    assert K.function([x], [chosen])([np.ones((2, 3))])[0].tolist() == np.full((4, 1, 1), 2.0).tolist()
