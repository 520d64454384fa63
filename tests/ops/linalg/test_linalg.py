"""Linear algebra against NumPy, by reconstruction, and its gradients against central differences, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.differences import central

from kbackend import K
from kbackend.ops.arrays.ranges import vander
from kbackend.ops.elementwise.complex import real
from kbackend.ops.linalg.decompositions import eig, eigh, lu_factor, qr, svd
from kbackend.ops.linalg.lstsq import lstsq, matrix_rank, pinv
from kbackend.ops.linalg.norms import cdist, norm
from kbackend.ops.linalg.solve import cholesky, cholesky_inverse, det, inv, logdet, slogdet
from kbackend.ops.linalg.vectors import cross
from kbackend.ops.signal.correlate import correlate
from kbackend.ops.statistics.moments import corrcoef

RNG = np.random.RandomState(3)
TALL, WIDE, SQUARE = RNG.randn(4, 2), RNG.randn(2, 4), RNG.randn(3, 3)
BATCH = RNG.randn(2, 3, 3)


def turned(x):
    return K.permute_dimensions(x, (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2))


def product(*factors):
    """Matrix products of tensors and arrays, from left to right."""
    result = factors[0]
    for factor in factors[1:]:
        result = K.matmul(result, factor)
    return result


def scaled(q, numbers):
    """``q @ diag(numbers)``."""
    return q * numbers


def steps(q):
    """Different weights for the columns of ``q``, so that products with its transpose tell them apart."""
    return np.arange(1.0, q.shape[-1] + 1)


def outer(q):
    """``q @ diag(1, 2, ...) @ q.T``, which does not mind the signs of columns."""
    return product(scaled(q, steps(q)), turned(q))


def definite(x):
    return product(x, turned(x)) + 2.0 * np.eye(x.shape[-2])


def of_qr(x):
    q, r = qr(x)
    inner = product(turned(r), np.diag(np.arange(1.0, r.shape[-2] + 1)), r)
    # Weights fall on what is below the diagonal too: nothing may flow back from there.
    upright = r * K.sign(K.sum(r * np.eye(*r.shape[-2:]), -1, True))
    return K.concatenate([K.flatten(part) for part in (outer(q), inner, upright)], 0)


def of_complete_qr(x):
    q, r = qr(x, "complete")
    return K.concatenate([K.flatten(outer(q[..., : x.shape[-1]])), K.flatten(product(q, r))], 0)


def rest_of_q(x):
    q, _ = qr(x, "complete")
    return product(q[..., x.shape[-1] :], turned(q[..., x.shape[-1] :]))


def of_svd(x):
    u, s, vh = svd(x, full_matrices=False)
    return K.concatenate([K.flatten(outer(u)), K.flatten(outer(turned(vh))),
                          K.flatten(product(scaled(u, K.exp(s)), vh)), K.flatten(s)], 0)


def rest_of_svd(x):
    u, s, vh = svd(x)
    k, v = s.shape[-1], turned(vh)
    rest = u[..., k:] if u.shape[-1] > k else v[..., k:]
    return product(rest, turned(rest))


def symmetric(x):
    return x + turned(x)


def of_eigh(x):
    w, v = eigh(symmetric(x))
    return K.concatenate([outer(v), product(scaled(v, K.expand_dims(K.exp(0.3 * w), -2)), turned(v))], -1)


def of_eig(x):
    """Sums over eigenvectors, in whatever order and of whatever phase."""
    w, v = eig(x)
    sizes = K.sum(K.pow(K.abs(v), 4), axis=-1)
    return K.concatenate([sizes, K.sum(real(w * w * w), -1, True), K.sum(K.abs(w), -1, True)], -1)


def low_rank(x):
    return pinv(product(x[:, :2], x[:2, :]))


def solved(x):
    return lstsq(x, product(x, RNG_B) + 0.5 * K.square(x))


RNG_B = np.random.RandomState(5).randn(2, 2)
TURNS = np.array([[0.3, 2.0, 0.1], [-1.5, 0.4, 0.2], [0.5, -0.3, 1.7]])

#: what is differentiated, and where
GRADIENTS = {
    "cholesky": (lambda x: cholesky(definite(x)), SQUARE),
    "cholesky, upper": (lambda x: cholesky(definite(x), upper=True), BATCH),
    "cholesky_inverse": (lambda x: cholesky_inverse(cholesky(definite(x))), SQUARE),
    "logdet": (lambda x: logdet(definite(x)), BATCH),
    "inv": (lambda x: inv(definite(x)), SQUARE),
    "det": (det, BATCH),
    "slogdet": (lambda x: slogdet(x)[1], BATCH),
    "qr, tall": (of_qr, TALL),
    "qr, wide": (of_qr, WIDE),
    "qr, a batch": (of_qr, BATCH),
    "qr, complete": (of_complete_qr, TALL),
    "qr, the rest of Q": (rest_of_q, TALL),
    "svd, tall": (of_svd, TALL),
    "svd, wide": (of_svd, WIDE),
    "svd, square": (of_svd, SQUARE),
    "svd, the rest of U": (rest_of_svd, TALL),
    "svd, the rest of V": (rest_of_svd, WIDE),
    "svd, values": (lambda x: svd(x, compute_uv=False), BATCH),
    "eigh": (of_eigh, BATCH),
    "eig": (of_eig, np.stack([TURNS, np.diag([1.0, 2.0, 4.0]) + 0.1 * SQUARE])),
    "lu_factor": (lambda x: lu_factor(x)[0], BATCH),
    "pinv, tall": (pinv, TALL),
    "pinv, wide": (pinv, WIDE),
    "pinv, rank 2": (low_rank, RNG.randn(4, 3)),
    "lstsq": (solved, TALL),
    "norm, nuc": (lambda x: norm(x, "nuc", (1, 2)), BATCH),
    "corrcoef": (corrcoef, RNG.randn(3, 5)),
    "cdist": (lambda x: cdist(x, 2.0 * x[::-1] + 1.0), TALL),
}


def close(found, wanted, bound):
    assert found.shape == wanted.shape
    assert np.max(np.abs(found - wanted)) <= bound * max(np.max(np.abs(wanted)), 1.0), (found, wanted)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_differences(each_backend, name):
    """The gradient of weighted sums, and that of a weighted sum of that gradient, in float64."""
    function, at = GRADIENTS[name]
    x = K.placeholder(at.shape, dtype="float64")
    out = function(x)
    weights = np.random.RandomState(7).randn(*out.shape)
    loss = K.sum(out * weights)
    (slope,) = K.gradients(loss, [x])
    total = K.sum(slope * np.random.RandomState(8).randn(*at.shape))
    (second,) = K.gradients(total, [x])
    assert np.max(np.abs(K.function([x], [slope])([at])[0])) > 1e-3
    loss_of, total_of = K.function([x], [loss]), K.function([x], [total])
    close(K.function([x], [slope])([at])[0], central(lambda v: loss_of([v])[0], at, 1e-5), 1e-7)
    close(K.function([x], [second])([at])[0], central(lambda v: total_of([v])[0], at, 1e-5), 1e-6)


@pytest.mark.parametrize("name", ["qr, tall", "svd, wide", "eigh", "eig", "lu_factor", "pinv, tall", "cholesky"])
def test_gradients_in_float32(each_backend, name):
    function, at = GRADIENTS[name]
    found = []
    for dtype in ("float64", "float32"):
        x = K.placeholder((None, *at.shape[1:]) if at.ndim == 3 else at.shape, dtype=dtype)
        (slope,) = K.gradients(K.sum(function(x)), [x])
        found.append(K.function([x], [slope])([at])[0])
    assert found[1].dtype == np.float32
    close(found[1].astype("float64"), found[0], 2e-4)


def test_the_gradient_of_eigh_is_symmetric(each_backend):
    at = symmetric_array(4)
    x = K.placeholder((4, 4), dtype="float64")
    w, v = eigh(x)
    (slope,) = K.gradients(K.sum(w * np.arange(4.0)) + K.sum(v * np.arange(16.0).reshape(4, 4)), [x])
    found = K.function([x], [slope])([at])[0]
    np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-12)
    assert np.abs(found).max() > 0.1


@pytest.mark.parametrize("call", [cholesky, logdet])
def test_gradients_of_definite_matrices_are_symmetric(each_backend, call):
    at = symmetric_array(3) + 9 * np.eye(3)
    x = K.placeholder((3, 3), dtype="float64")
    out = call(x)
    weights = np.random.RandomState(1).randn(*out.shape)
    (slope,) = K.gradients(K.sum(out * weights), [x])
    found = K.function([x], [slope])([at])[0]
    np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-12)
    direction = symmetric_array(3)
    value = K.function([x], [K.sum(out * weights)])
    by_steps = (float(value([at + 1e-5 * direction])[0]) - float(value([at - 1e-5 * direction])[0])) / 2e-5
    assert abs(np.sum(found * direction) - by_steps) < 1e-8


def weighted(x):
    """Sums of squares in which each row has its own weight, and each column."""
    return K.sum(K.cumsum(K.cumsum(K.square(x), -1), -2))


def summed_svd(x):
    u, s, vh = svd(x, full_matrices=False)
    return weighted(u * K.expand_dims(s, -2)) + weighted(vh) + K.sum(s)


UNKNOWN = {
    "qr": lambda x: sum(weighted(part) for part in qr(x)),
    "qr, complete": lambda x: weighted(qr(x, "complete")[1]),
    "svd": summed_svd,
    "svd, values": lambda x: K.sum(svd(x, compute_uv=False)),
    "pinv": lambda x: weighted(pinv(x)),
    "lstsq": lambda x: weighted(lstsq(x, x * x)),
    "norm, nuc": lambda x: weighted(norm(x, "nuc", (1, 2), keepdims=True)),
    "eigh": lambda x: weighted(eigh(K.batch_dot(x, x, (2, 2)))[1]),
    "lu_factor": lambda x: weighted(lu_factor(K.batch_dot(x, x, (2, 2)) + np.eye(4))[0]),
    "cholesky": lambda x: weighted(cholesky(K.batch_dot(x, x, (2, 2)) + np.eye(4))),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("unknown", [(None, 4, 3), (None, None, None)])
def test_gradients_of_unknown_sizes(each_backend, name, unknown):
    """First and second gradients are those of known sizes, of tall and wide matrices."""
    at = np.random.RandomState(6).randn(2, 4, 3)
    for data in (at, np.ascontiguousarray(at[:, :2])):
        if name in ("eigh", "lu_factor", "cholesky") and data is not at or None not in unknown[1:] and data is not at:
            continue
        found = []
        for shape in (data.shape, unknown):
            x = K.placeholder(shape, dtype="float64")
            (slope,) = K.gradients(UNKNOWN[name](x), [x])
            (second,) = K.gradients(K.sum(K.sin(slope)), [x])
            found.append(K.function([x], [slope, second])([data]))
        for known, other in zip(*found):
            close(other, known, 1e-9)
            assert np.abs(known).max() > 1e-3


def symmetric_array(n):
    drawn = np.random.RandomState(n).randn(n, n)
    return drawn + drawn.T


def diagonal_matrices(values, shape):
    found = np.zeros(shape, values.dtype)
    k = values.shape[-1]
    found[..., np.arange(k), np.arange(k)] = values
    return found


def assert_orthonormal(q, bound):
    found = np.swapaxes(q, -1, -2) @ q
    np.testing.assert_allclose(found, np.broadcast_to(np.eye(q.shape[-1]), found.shape), atol=bound)


@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (2, 5), (2, 3, 4, 2), (1, 1), (2, 0, 3), (2, 3, 0)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_factors_multiply_to_the_matrix(each_backend, shape, dtype):
    """At once, and with every dimension unknown; Q, U and V are orthogonal."""
    at = np.random.RandomState(0).randn(*shape).astype(dtype)
    x, bound = K.placeholder((None,) * len(shape), dtype=dtype), 1e-12 if dtype == "float64" else 2e-5
    for mode in ("reduced", "complete"):
        graph = K.function([x], list(qr(x, mode)))([at])
        for q, r in (graph, [K.eval(t) for t in qr(at, mode)]):
            assert q.shape == np.linalg.qr(at, mode)[0].shape and r.shape == np.linalg.qr(at, mode)[1].shape
            assert q.dtype == r.dtype == np.dtype(dtype)
            np.testing.assert_allclose(q @ r, at, atol=bound)
            assert_orthonormal(q, bound)
    for full in (False, True):
        graph = K.function([x], list(svd(x, full)))([at])
        for u, s, vh in (graph, [K.eval(t) for t in svd(at, full)]):
            assert [a.shape for a in (u, s, vh)] == [a.shape for a in np.linalg.svd(at, full)]
            assert u.dtype == s.dtype == vh.dtype == np.dtype(dtype)
            np.testing.assert_allclose(u @ diagonal_matrices(s, (*shape[:-2], u.shape[-1], vh.shape[-2])) @ vh, at,
                                       atol=bound)
            np.testing.assert_allclose(s, np.linalg.svd(at, compute_uv=False), atol=bound)
            for q in (u, np.swapaxes(vh, -1, -2)):
                assert_orthonormal(q, bound)


def test_a_matrix_of_rank_1_has_full_orthogonal_factors(each_backend):
    at = np.outer(np.arange(1.0, 6.0), [1.0, 2.0, -1.0])
    u, s, vh = (K.eval(t) for t in svd(at))
    np.testing.assert_allclose(u.T @ u, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(u[:, :3] * s @ vh, at, atol=1e-12)


def applied(factors, pivots):
    """``P.T @ L @ U`` of LAPACK's exchanges."""
    n = factors.shape[-1]
    found = (np.tril(factors, -1) + np.eye(n)) @ np.triu(factors)
    for i in reversed(range(n)):
        found[[i, pivots[i]]] = found[[pivots[i], i]]
    return found


@pytest.mark.parametrize("n", [0, 1, 2, 5, 32, 75])
def test_lu_factors_and_exchanges_give_the_matrix(each_backend, n):
    at = np.random.RandomState(n).randn(3, n, n)
    x = K.placeholder((None, None, None), dtype="float64")
    for factors, pivots in (K.function([x], list(lu_factor(x)))([at]), map(K.eval, lu_factor(at))):
        assert factors.shape == at.shape and pivots.shape == at.shape[:-1] and pivots.dtype == np.int32
        for one, exchanges, wanted in zip(factors, pivots, at):
            np.testing.assert_allclose(applied(one, exchanges), wanted, atol=1e-12)
            assert np.abs(np.tril(one, -1)).max(initial=0.0) <= 1.0


def test_exchanges_are_those_of_lapack(each_backend):
    scipy = pytest.importorskip("scipy.linalg")
    at = np.random.RandomState(4).randn(70, 70)
    wanted, exchanges = scipy.lu_factor(at)
    found = [K.eval(t) for t in lu_factor(at)]
    np.testing.assert_allclose(found[0], wanted, atol=1e-12)
    np.testing.assert_array_equal(found[1], exchanges)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_eigenvalues_and_vectors(each_backend, dtype):
    at = np.stack([TURNS, SQUARE]).astype(dtype)
    bound = 1e-12 if dtype == "float64" else 2e-5
    x = K.placeholder((None, 3, 3), dtype=dtype)
    w, v = K.function([x], list(eig(x)))([at])
    assert w.dtype == v.dtype == np.dtype("complex128" if dtype == "float64" else "complex64")
    np.testing.assert_allclose(at @ v, v * w[:, None, :], atol=bound)
    np.testing.assert_allclose(np.linalg.norm(v, axis=-2), np.ones((2, 3)), atol=bound)
    assert np.abs(w.imag).max() > 0.5
    both = at + np.swapaxes(at, -1, -2)
    w, v = K.function([x], list(eigh(x)))([both])
    np.testing.assert_allclose(w, np.linalg.eigvalsh(both), atol=bound)
    np.testing.assert_allclose(v * w[:, None, :] @ np.swapaxes(v, -1, -2), both, atol=bound)


def test_eigh_reads_the_lower_triangle(each_backend):
    at = symmetric_array(3)
    spoiled = at + np.triu(np.full((3, 3), 100.0), 1)
    np.testing.assert_allclose(K.eval(eigh(spoiled)[0]), np.linalg.eigvalsh(at), atol=1e-12)


@pytest.mark.parametrize("rcond", [None, 0.4, 1e-3])
def test_pseudoinverses_and_least_squares_are_those_of_numpy(each_backend, rcond):
    rng = np.random.RandomState(2)
    for a in (rng.randn(5, 3), rng.randn(3, 5), np.outer(rng.randn(4), rng.randn(3)), rng.randn(3, 1)):
        # NumPy's own limit for None differs between the two; that of lstsq is the one documented here.
        limit = max(a.shape) * np.finfo("float64").eps if rcond is None else rcond
        np.testing.assert_allclose(K.eval(pinv(a, rcond)), np.linalg.pinv(a, limit), atol=1e-12)
        for b in (rng.randn(len(a)), rng.randn(len(a), 2)):
            np.testing.assert_allclose(K.eval(lstsq(a, b, rcond)), np.linalg.lstsq(a, b, rcond)[0], atol=1e-12)


def test_a_negative_rcond_is_the_precision(each_backend):
    a = np.diag([1.0, 4e-16, 1e-16])
    np.testing.assert_allclose(K.eval(lstsq(a, np.ones(3), -1)), np.linalg.lstsq(a, np.ones(3), -1)[0], rtol=1e-12)
    assert K.eval(lstsq(a, np.ones(3)))[1] == 0.0


def test_least_squares_of_float32_of_rank_1(each_backend):
    """A limit of 1e-15 would take rounding for a singular value."""
    a = np.outer(np.arange(1, 5), [0.1, 0.3, 0.7]).astype("float32")
    np.testing.assert_allclose(K.eval(pinv(a)), np.linalg.pinv(a.astype("float64"), 1e-6), atol=1e-6)


def test_unknown_sizes_of_least_squares_and_ranks(each_backend):
    a, b = K.placeholder((None, None), dtype="float64"), K.placeholder((None,), dtype="float64")
    solve = K.function([a, b], [lstsq(a, b), pinv(a), matrix_rank(a)])
    for shape in ((4, 2), (2, 4)):
        x, y = RNG.randn(*shape), RNG.randn(shape[0])
        found = solve([x, y])
        np.testing.assert_allclose(found[0], np.linalg.lstsq(x, y, None)[0], atol=1e-12)
        np.testing.assert_allclose(found[1], np.linalg.pinv(x), atol=1e-12)
        assert found[2].dtype == np.int32 and found[2] == 2


@pytest.mark.parametrize("tol", [None, 0.5, np.array([0.5, 5.0])])
def test_ranks_are_those_of_numpy(each_backend, tol):
    at = np.stack([np.diag([1.0, 0.1, 0.0]), np.diag([9.0, 4.0, 2e-15])])
    np.testing.assert_array_equal(K.eval(matrix_rank(at, tol)), np.linalg.matrix_rank(at, tol))


def test_integers_become_floats(each_backend):
    at = np.array([[2, 1], [1, 3]], np.int32)
    found = {"svd": svd(at)[1], "qr": qr(at, "complete")[1], "eigh": eigh(at)[0], "pinv": pinv(at),
             "lu_factor": lu_factor(at)[0], "norm": norm(at), "lstsq": lstsq(at, at[0])}
    assert {name: str(K.eval(value).dtype) for name, value in found.items()} == dict.fromkeys(found, "float32")


VECTOR, FLAT = np.ones(3, np.float32), np.ones((2, 3), np.float32)
#: what is wrong, and a part of what the message must say
REFUSED = {
    "qr of a vector": (lambda x: qr(x), VECTOR, r"\(3,\)|\[3\]"),
    "qr, mode": (lambda x: qr(x, "raw"), FLAT, "raw"),
    "svd of a vector": (lambda x: svd(x), VECTOR, r"\(3,\)|\[3\]"),
    "eigh, not square": (lambda x: eigh(x), FLAT, r"2, 3"),
    "eig, not square": (lambda x: eig(x), FLAT, r"2, 3"),
    "lu_factor, not square": (lambda x: lu_factor(x), FLAT, r"2, 3"),
    "pinv of a vector": (lambda x: pinv(x), VECTOR, r"\(3,\)|\[3\]"),
    "matrix_rank of a vector": (lambda x: matrix_rank(x), VECTOR, r"\(3,\)|\[3\]"),
    "lstsq, rows": (lambda x: lstsq(x, np.ones(3, np.float32)), FLAT, r"\(2, 3\).*\(3,\)"),
    "lstsq, ranks": (lambda x: lstsq(x, np.ones((1, 1, 2, 1), np.float32)), FLAT, r"\(2, 3\)"),
    "cholesky, not square": (lambda x: cholesky(x), FLAT, r"2, 3"),
    "norm, order": (lambda x: norm(x, "max"), FLAT, "max"),
    "norm, order of a matrix": (lambda x: norm(x, 3), FLAT, "3"),
    "norm, axes": (lambda x: norm(x, None, (0, 1, 1)), FLAT, r"0, 1, 1"),
    "cdist, sizes": (lambda x: cdist(x, np.ones((2, 2), np.float32)), FLAT, "3.*2"),
    "cross, size": (lambda x: cross(x, x, axis=0), np.ones((4, 3), np.float32), r"\(4, 3\)"),
    "corrcoef, rank": (lambda x: corrcoef(x), np.ones((2, 2, 2), np.float32), r"2, 2, 2"),
    "correlate, mode": (lambda x: correlate(x, x, "some"), VECTOR, "some"),
    "correlate, rank": (lambda x: correlate(x, VECTOR), FLAT, r"\(2, 3\)"),
    "vander, rank": (lambda x: vander(x), FLAT, r"\(2, 3\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_calls_are_refused_with_their_values(each_backend, name):
    function, at, told = REFUSED[name]
    with pytest.raises(ValueError, match=told):
        function(at)
    with pytest.raises(ValueError, match=told):
        function(K.placeholder(at.shape))


@pytest.mark.parametrize("function", [qr, svd, eigh, eig, lu_factor, pinv, matrix_rank,
                                      lambda x: norm(x, "nuc")])
@pytest.mark.parametrize("dtype", ["float16", "complex64"])
def test_other_dtypes_are_refused(each_backend, function, dtype):
    with pytest.raises(TypeError, match=dtype):
        function(np.eye(2, dtype=dtype))
    with pytest.raises(TypeError, match=dtype):
        function(K.placeholder((2, 2), dtype=dtype))


def test_a_singular_matrix_has_no_lu_factors(each_backend):
    with pytest.raises(np.linalg.LinAlgError):
        lu_factor(np.array([[1.0, 2.0], [2.0, 4.0]]))
    x = K.placeholder((2, 2))
    with pytest.raises(np.linalg.LinAlgError):
        K.function([x], list(lu_factor(x)))([np.zeros((2, 2))])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("function", [svd, pinv, matrix_rank, eig, lambda x: svd(x, compute_uv=False),
                                      lambda x: lstsq(x, np.ones(3))])
def test_values_that_are_not_finite_have_no_decomposition(each_backend, function, value):
    at = np.eye(3)
    at[1, 0] = value
    with pytest.raises(np.linalg.LinAlgError):
        function(at)
    x = K.placeholder((3, 3), dtype="float64")
    out = function(x)
    with pytest.raises(np.linalg.LinAlgError):
        K.function([x], list(out) if isinstance(out, (list, tuple)) else [out])([at])


@pytest.mark.parametrize("function", [eigh, lu_factor, qr])
def test_nan_spoils_its_own_matrix_alone(each_backend, function):
    at = np.stack([np.eye(3), np.diag([2.0, 1.0, 3.0])])
    at[0, 1, 0] = np.nan
    found = K.eval(function(at)[0])
    assert np.isnan(found[0]).any() and np.isfinite(found[1]).all()


def test_sizes_that_do_not_fit_show_when_the_data_come(each_backend):
    x, y = K.placeholder((None, None)), K.placeholder((None, None))
    for out in (eigh(x)[0], eig(x)[0], lu_factor(x)[0], lstsq(x, y), cdist(x, y)):
        with pytest.raises(ValueError, match="2.*3|3.*2"):
            K.function([x, y], [out])([np.ones((2, 3)), np.ones((3, 2))])
