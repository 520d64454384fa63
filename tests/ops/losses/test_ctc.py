"""CTC against sums over all paths, written out."""

import itertools

import numpy as np
import pytest

from kbackend import K
from kbackend.ops.losses.ctc import ctc_beam_search, ctc_greedy, ctc_loss


def log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def collapsed(path, blank):
    return tuple(c for c, _ in itertools.groupby(path) if c != blank)


def by_all_paths(logits, blank):
    """label sequence -> log probability, for logits (time, classes)."""
    logs, found = log_softmax(logits), {}
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        log = sum(logs[t, c] for t, c in enumerate(path))
        key = collapsed(path, blank)
        found[key] = np.logaddexp(found.get(key, -np.inf), log)
    return found


def logits_of(batch, time, classes, seed=0):
    return np.random.RandomState(seed).randn(batch, time, classes)


@pytest.mark.parametrize("blank", [0, 2])
def test_the_loss_is_the_sum_over_all_paths(each_backend, blank):
    logits, lengths = logits_of(4, 5, 3), [5, 4, 3, 5]
    labels = [[1, 1], [1, 0], [0, 0], [1, 0]] if blank == 2 else [[1, 1], [1, 2], [0, 0], [2, 0]]
    counts = [2, 2, 0, 1]
    x = K.placeholder((None, None, 3))
    loss = ctc_loss(K.constant(labels, "int32"), x, K.constant(counts, "int32"), K.constant(lengths, "int32"), blank)
    value, slope = K.function([x], [loss, *K.gradients(K.sum(loss), [x])])([logits.astype("float32")])
    for row in range(4):
        wanted = by_all_paths(logits[row, : lengths[row]], blank)[tuple(labels[row][: counts[row]])]
        assert value[row] == pytest.approx(-wanted, rel=2e-5)
        assert not slope[row, lengths[row] :].any()


def test_the_gradient_is_a_difference_quotient(each_backend):
    logits = logits_of(1, 3, 3, seed=1)
    labels, one, three = np.array([[1]], np.int32), np.array([1], np.int32), np.array([3], np.int32)

    def cost(z):
        return -by_all_paths(z, 2)[(1,)]

    x = K.placeholder((1, 3, 3), dtype="float64")
    (slope,) = K.function([x], K.gradients(K.sum(ctc_loss(labels, x, one, three, 2)), [x]))([logits])
    for at in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[at] = 1e-5
        quotient = (cost(logits[0] + step) - cost(logits[0] - step)) / 2e-5
        assert slope[0][at] == pytest.approx(quotient, abs=1e-8)


def test_without_a_path_the_loss_is_infinite_and_its_gradient_zero(each_backend):
    x = K.placeholder((1, 2, 3))
    loss = ctc_loss(np.array([[1, 1]]), x, np.array([2]), np.array([2]), 0)  # 1, 1 takes three steps
    value, slope = K.function([x], [loss, *K.gradients(K.sum(loss), [x])])([logits_of(1, 2, 3)])
    assert np.isposinf(value[0]) and not slope.any()


def test_batch_cost_takes_probabilities_and_columns_of_lengths(each_backend):
    y = np.exp(log_softmax(logits_of(2, 4, 3))).astype("float32")
    y_true, y_pred = K.placeholder((None, 2), dtype="int32"), K.placeholder((None, None, 3))
    lengths, counts = K.placeholder((None, 1), dtype="int32"), K.placeholder((None, 1), dtype="int32")
    f = K.function([y_true, y_pred, lengths, counts], [K.ctc_batch_cost(y_true, y_pred, lengths, counts)])
    (cost,) = f([[[0, 1], [1, 5]], y, [[4], [3]], [[2], [1]]])
    assert cost.shape == (2, 1)
    assert cost[0, 0] == pytest.approx(-by_all_paths(np.log(y[0] + 1e-7), 2)[(0, 1)], rel=1e-5)
    assert cost[1, 0] == pytest.approx(-by_all_paths(np.log(y[1, :3] + 1e-7), 2)[(1,)], rel=1e-5)
    with pytest.raises(ValueError, match="5"):
        f([[[0, 1], [1, 5]], y, [[4], [3]], [[2], [2]]])


@pytest.mark.parametrize("blank", [0, 3])
def test_greedy_decoding(each_backend, blank):
    logits, lengths = logits_of(6, 7, 4, seed=2).astype("float32"), [7, 6, 5, 4, 1, 0]
    labels, score = (K.eval(t) for t in ctc_greedy(logits, np.array(lengths), blank=blank, merge=True))
    for row, n in enumerate(lengths):
        wanted = collapsed(logits[row, :n].argmax(-1), blank)
        assert tuple(labels[row]) == wanted + (-1,) * (7 - len(wanted))
        assert score[row, 0] == pytest.approx(-logits[row, :n].max(-1).sum(), rel=1e-5)


def test_beams_wide_enough_find_the_best_of_all(each_backend):
    logits, lengths = logits_of(3, 4, 3, seed=3), [4, 3, 2]
    labels, scores = (
        K.eval(t) for t in ctc_beam_search(logits, np.array(lengths), blank=1, beam_width=200, top_paths=4)
    )
    for row, n in enumerate(lengths):
        best = sorted(by_all_paths(logits[row, :n], 1).items(), key=lambda item: -item[1])[:4]
        for path, (wanted, score) in enumerate(best):
            assert tuple(c for c in labels[path, row] if c >= 0) == wanted
            assert scores[row, path] == pytest.approx(score, rel=1e-5)


def test_decoded_labels_are_as_wide_as_the_longest(each_backend):
    best = np.array([[0, 0, 2, 0], [2, 1, 2, 2]])
    y = np.eye(3)[best]
    x, n = K.placeholder((None, None, 3)), K.placeholder((None,), dtype="int32")
    (greedy,), score = K.ctc_decode(x, n)
    beams, scores = K.ctc_decode(x, n, greedy=False, beam_width=10, top_paths=2)
    (merged,), _ = K.ctc_decode(x, n, greedy=False, beam_width=10, merge_repeated=True)
    f = K.function([x, n], [greedy, score, *beams, scores, merged])
    found = f([y, [4, 4]])
    assert found[0].tolist() == [[0, 0], [1, -1]]
    assert found[1].shape == (2, 1)
    assert found[2].tolist() == [[0, 0], [1, -1]]
    assert found[4].shape == (2, 2) and (found[4][:, 0] > found[4][:, 1]).all()
    assert found[5].tolist() == [[0], [1]]
    assert f([y, [0, 0]])[0].shape == (2, 0)


@pytest.mark.engine("tensorflow")
def test_decoding_is_tensorflows():
    import tensorflow as tf

    logits, lengths = logits_of(5, 8, 4, seed=4).astype("float32"), np.array([8, 8, 7, 5, 3])
    by_time = np.transpose(logits, (1, 0, 2))
    theirs, scores = tf.nn.ctc_beam_search_decoder(by_time, lengths, beam_width=12, top_paths=2)
    labels, own = (K.eval(t) for t in ctc_beam_search(logits, lengths, blank=3, beam_width=12, top_paths=2))
    np.testing.assert_allclose(own, scores.numpy(), rtol=1e-4)
    for path in range(2):
        dense = tf.sparse.to_dense(theirs[path], -1).numpy()
        assert labels[path, :, : dense.shape[1]].tolist() == dense.tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ctc_loss(np.zeros((1, 2), int), np.zeros((1, 3)), np.array([1]), np.array([1])),
        lambda: ctc_loss(np.zeros((1, 2), int), np.zeros((2, 3, 4)), np.array([1]), np.array([1])),
        lambda: ctc_loss(np.zeros((1, 2), int), np.zeros((1, 3, 4)), np.array([[1]]), np.array([1])),
        lambda: ctc_loss(np.zeros((1, 2), int), np.zeros((1, 3, 4)), np.array([1]), np.array([1]), 4),
        lambda: K.ctc_decode(np.zeros((1, 3, 4)), np.array([1]), greedy=False, beam_width=2, top_paths=3),
    ],
)
def test_what_does_not_fit_is_a_value_error(each_backend, call):
    with pytest.raises(ValueError):
        call()


def test_labels_and_lengths_may_be_floats(each_backend):
    y = np.random.default_rng(0).dirichlet(np.ones(4), (2, 5)).astype("float32")
    labels, times, counts = np.array([[0, 1], [2, 0]]), np.array([5, 4]), np.array([2, 1])
    costs, decoded = [], []
    for kind in ("int32", "float32"):
        given = [K.constant(a, kind) for a in (labels, times[:, None], counts[:, None])]
        costs.append(K.eval(K.ctc_batch_cost(given[0], K.constant(y), *given[1:])))
        for greedy in (True, False):
            paths, score = K.ctc_decode(K.constant(y), K.constant(times, kind), greedy=greedy)
            decoded.append((K.eval(paths[0]), K.eval(score)))
    np.testing.assert_array_equal(*costs)
    for whole, floats in zip(decoded[:2], decoded[2:]):
        np.testing.assert_array_equal(whole[0], floats[0])
        np.testing.assert_array_equal(whole[1], floats[1])
