"""Gradients of broadcasts on TensorFlow: the axes follow from equal unknown sizes, or are found when a program runs."""

import gc

import numpy as np
import pytest

import kbackend
from kbackend import K, ops

pytestmark = pytest.mark.engine("tensorflow")

OPERATIONS = {
    "add": lambda x, y: x + y,
    "divide": lambda x, y: x / y,
    "maximum": K.maximum,
    "minimum": K.minimum,
    "multiply": lambda x, y: x * y,
    "subtract": lambda x, y: x - y,
    "where": lambda x, y: ops.where(K.greater(x, y), x, y),
}  # fmt: skip
#: shapes of two operands as declared, and as fed
SHAPES = [
    [((None, 3), (None, 3)), [((2, 3), (2, 3)), ((1, 3), (4, 3)), ((4, 3), (1, 3)), ((0, 3), (1, 3))]],
    [((None, 3), (3,)), [((2, 3), (3,)), ((0, 3), (3,))]],
    [((None, 3), ()), [((2, 3), ())]],
    [((None, 1), (1, None)), [((2, 1), (1, 3)), ((0, 1), (1, 2))]],
    [((None, 3), (4, 1)), [((4, 3), (4, 1)), ((1, 3), (4, 1))]],
    [((None,), (2, 1, None)), [((3,), (2, 1, 3)), ((1,), (2, 1, 3)), ((3,), (2, 1, 1))]],
    [((2, 1, 3), (2, 4, 1)), [((2, 1, 3), (2, 4, 1))]],
]


def of_every_operation(declared):
    x, y = (K.placeholder(shape) for shape in declared)
    found = []
    for operation in OPERATIONS.values():
        result = operation(x, y)
        found += K.gradients(K.sum(result * K.cos(result)), [x, y])
    return K.function([x, y], found)


@pytest.mark.parametrize("declared, fed", SHAPES, ids=lambda given: str(given) if isinstance(given, tuple) else "")
def test_sums_are_over_what_was_broadcast(declared, fed):
    random = np.random.default_rng(0)
    with kbackend.use_backend("tensorflow"):
        function = of_every_operation(declared)
        feeds = [[random.uniform(1, 2, size=shape).astype("float32") for shape in shapes] for shapes in fed]
        found = [function(values) for values in feeds]
    with kbackend.use_backend("numpy"):
        wanted = of_every_operation(declared)
        for values, results in zip(feeds, found):
            for name, ours, right in zip(np.repeat(list(OPERATIONS), 2), results, wanted(values)):
                np.testing.assert_allclose(ours, right, rtol=2e-5, atol=1e-6, err_msg=name)


KERNEL = np.linspace(-1, 1, 9, dtype="float32").reshape(3, 3)
#: of a batch of unknown size, (batch, 4, 3), what is multiplied by what in an operation that could broadcast the batch
KEPT = {
    "activation": lambda x: K.sigmoid(x) * x,
    "cast": lambda x: x * K.cast(K.greater(x, 0.0), "float32"),
    "columns": lambda x: ops.unstack(x, axis=1)[0] * ops.unstack(x, axis=1)[1],
    "concatenation": lambda x: K.concatenate([x, x], axis=2) * K.concatenate([K.tanh(x), x], axis=2),
    "convolution": lambda x: x * ops.conv(x, K.constant(KERNEL.reshape(1, 3, 3)), padding="same"),
    "dense": lambda x: x * K.dot(x, K.constant(KERNEL)),
    "flat": lambda x: K.reshape(x, (-1, 12)) * K.batch_flatten(K.tanh(x)),
    "flat and back": lambda x: x * K.reshape(K.tanh(K.reshape(x, (-1, 3))), (-1, 4, 3)),
    "gather": lambda x: x * ops.take(x, K.constant([0, 0, 1, 2], "int32"), axis=1),
    "mean": lambda x: (x - K.mean(x, axis=-1, keepdims=True)) * x,
    "means of samples": lambda x: x * K.mean(x, axis=0) + K.mean(x * x, axis=(0, 2))[:, None] * K.mean(K.tanh(x)),
    "new axis": lambda x: K.expand_dims(x, 1) * K.expand_dims(K.tanh(x), 1),
    "padding": lambda x: ops.pad(x, ((0, 0), (1, 1), (0, 0))) * ops.pad(K.tanh(x), ((0, 0), (1, 1), (0, 0))),
    "parts": lambda x: ops.split(x, 3, axis=2)[0] * ops.split(K.tanh(x), 3, axis=2)[1],
    "permutation": lambda x: K.permute_dimensions(x, (0, 2, 1)) * K.permute_dimensions(K.tanh(x), (0, 2, 1)),
    "product of matrices": lambda x: x * K.batch_dot(K.batch_dot(x, x, axes=(2, 2)), x, axes=(2, 1)),
    "slice": lambda x: x[:, :2] * K.tanh(x)[:, 1:3],
    "softmax": lambda x: x * K.softmax(x),
    "stack": lambda x: K.stack([x, x], axis=1) * K.stack([K.tanh(x), x], axis=1),
    "sum": lambda x: K.sum(x, axis=1) * K.tanh(K.sum(x, axis=1)),
    "tiles": lambda x: K.tile(x, (1, 2, 1)) * K.tile(K.tanh(x), (1, 2, 1)),
    "where": lambda x: ops.where(K.greater(x, 0.0), x * x, K.tanh(x)),
    "zeros": lambda x: (K.zeros_like(x) + x) * x,
}  # fmt: skip


def gradients_of(names):
    x = K.placeholder((None, 4, 3))
    return K.function([x], [K.gradients(K.sum(KEPT[name](x)), [x])[0] for name in names])


def asks_at_run_time(names):
    """Whether TensorFlow traced an operation that compares shapes."""
    function = gradients_of(names)
    with kbackend.use_backend("tensorflow"):
        function([np.ones((2, 4, 3), "float32")])
    (program,) = function.programs.values()
    return any(op.type == "BroadcastGradientArgs" for op in program._runner.graph.get_operations())


def test_a_batch_that_stays_itself_is_known_to():
    assert not asks_at_run_time(KEPT) or not [name for name in KEPT if asks_at_run_time([name])]


def test_gradients_of_a_batch_that_stays_itself():
    function = gradients_of(KEPT)
    for samples in (1, 5):
        feed = np.linspace(-1, 1, samples * 12, dtype="float32").reshape(samples, 4, 3)
        with kbackend.use_backend("tensorflow"):
            found = function([feed])
        with kbackend.use_backend("numpy"):
            for name, ours, right in zip(KEPT, found, function([feed])):
                np.testing.assert_allclose(ours, right, rtol=2e-5, atol=1e-6, err_msg=name)


def test_what_may_broadcast_is_not_taken_for_equal():
    """Two batches, rows that were moved, and a part of a batch beside another."""
    x, y = K.placeholder((None, 3)), K.placeholder((None, 3))
    pairs = [(x, y), (x, K.concatenate([x, y], axis=0)), (x, y[1:]), (x, K.reverse(y, 0)), (x, K.tile(y, (2, 1)))]
    for one, other in pairs:
        loss = K.sum(K.tanh(one * other))
        function = K.function([x, y], K.gradients(loss, [x, y]))
        feeds = [np.full((1, 3), 0.3, "float32"), np.linspace(-1, 1, 9, dtype="float32").reshape(3, 3)]
        with kbackend.use_backend("tensorflow"):
            found = function(feeds)
        with kbackend.use_backend("numpy"):
            for ours, right in zip(found, function(feeds)):
                np.testing.assert_allclose(ours, right, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("engine", ["numpy", "torch", "tensorflow"])
def test_constants_have_gradients_where_they_are_asked_for(engine):
    if engine == "torch":
        pytest.importorskip("torch")
    x, c = K.placeholder((None, 2)), K.constant([2.0, 3.0])
    losses = [K.sum(operation(x, c)) + K.sum(operation(c, x)) for operation in OPERATIONS.values()]
    with kbackend.use_backend(engine):
        found = K.function([x], [K.gradients(loss, [c])[0] for loss in losses])([[[5.0, 1.0], [1.0, 6.0]]])
    quotient = [-6 / 4 + 1 / 5 + 1 / 1, -7 / 9 + 1 / 1 + 1 / 6]
    right = {"add": [4, 4], "divide": quotient, "maximum": [2, 2], "minimum": [2, 2], "multiply": [12, 14],
             "subtract": [0, 0], "where": [2, 2]}  # fmt: skip
    for name, ours in zip(OPERATIONS, found):
        np.testing.assert_allclose(ours, right[name], rtol=1e-5, err_msg=name)


def test_graphs_inside_of_dropped_programs_are_dropped():
    """Those of a loop in whose body gradients are taken: what is known of them holds none."""
    from kbackend_tensorflow.gradients import sizes

    def step(i, s):
        y = K.sum(K.tanh(s) * K.sum(s, axis=1, keepdims=True))
        return [i + 1, s + K.gradients(y * y, [s])[0]]

    with kbackend.use_backend("tensorflow"):
        x = K.placeholder((None, 2))
        last = K.while_loop(lambda i, s: i < 2, step, [K.constant(0, "int32"), x])[1]
        function = K.function([x], [last])
        function([np.ones((3, 2))])
        del function
        gc.collect()
    assert not len(sizes._SHAPES) and not len(sizes._KNOWN)


def test_products_of_batches_of_matrices():
    """Each way to transpose the factors, of real and of complex numbers, of one batch and of two."""
    x, y = K.placeholder((None, 2, 2)), K.placeholder((None, 2, 2))
    found = []
    for left in (x, y):
        for one, other in (((0, 2, 1), (0, 2, 1)), ((0, 1, 2), (0, 2, 1)), ((0, 2, 1), (0, 1, 2)), ((0, 1, 2),) * 2):
            first, second = K.permute_dimensions(left, one), K.permute_dimensions(K.tanh(x), other)
            found += K.gradients(K.sum(K.sin(ops.matmul(first, second))), [x, y][: 1 + (left is y)])
    first, second = ops.conj(ops.cast(x, "complex64") * 1j), ops.cast(K.tanh(x), "complex64") * (1 + 2j)
    found += K.gradients(K.sum(ops.real(ops.matmul(first, second)) * ops.imag(ops.matmul(second, first))), [x])
    function = K.function([x, y], found)
    feeds = [np.linspace(low, 1, 12, dtype="float32").reshape(3, 2, 2) for low in (-1, 0)]
    with kbackend.use_backend("tensorflow"):
        results = function(feeds)
    with kbackend.use_backend("numpy"):
        for place, (ours, right) in enumerate(zip(results, function(feeds))):
            np.testing.assert_allclose(ours, right, rtol=2e-5, atol=1e-6, err_msg=str(place))


@pytest.mark.parametrize("choice", [K.maximum, K.minimum, lambda x, y: ops.power(x, y)])
def test_the_gradient_of_a_lookup_of_rows_reaches_kernels_with_gradients_of_their_own(choice):
    x = K.placeholder((3,))
    rows = ops.take(choice(x, 0.5 * x), K.constant([0, 0], "int32"), axis=0)
    function = K.function([x], K.gradients(K.sum(K.square(rows)), [x]))
    with kbackend.use_backend("numpy"):
        (wanted,) = function([np.ones(3, "float32")])
    with kbackend.use_backend("tensorflow"):
        np.testing.assert_allclose(function([np.ones(3, "float32")])[0], wanted, rtol=1e-5)


def test_a_deep_graph_needs_no_deep_recursion():
    x = K.placeholder((None, 2))
    y = x
    for _ in range(1200):
        y = K.tanh(y)
    function = K.function([x], K.gradients(K.sum(y * x), [x]))
    with kbackend.use_backend("tensorflow"):
        assert np.isfinite(function([np.ones((3, 2), "float32")])[0]).all()
