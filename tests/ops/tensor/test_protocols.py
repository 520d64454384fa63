"""Symbolic tensors in functions of other libraries: operators work, all else names K's function."""

import operator

import numpy as np
import pytest

from kbackend import K

OPERATORS = "add sub mul truediv floordiv mod pow lt le gt ge eq ne".split()


@pytest.fixture
def p():
    return K.placeholder((2, 3), name="p")


@pytest.mark.parametrize("call,message", [
    (lambda p: np.tanh(p), "np.tanh takes values, not symbolic tensors such as <Tensor 'p' .*: use K.tanh"),
    (lambda p: np.maximum(p, 0), "use K.maximum"), (lambda p: np.isnan(p), "use K.isnan"),
    (lambda p: np.add.reduce(p), "np.add.reduce takes values"), (lambda p: np.spacing(p), "use K's functions"),
    (lambda p: np.add(p, 1, out=np.zeros((2, 3))), "np.add takes values.* use K.add"),
    (lambda p: np.sqrt(K.constant(4.0)), "use K.sqrt"), (lambda p: np.exp(K.variable(1.0)), "use K.exp"),
])  # fmt: skip
def test_functions_of_numpy(p, call, message):
    with pytest.raises(TypeError, match=message):
        call(p)


def test_conversion_to_an_array_says_what_to_use(p):
    with pytest.raises(ValueError, match="depends on the placeholders 'p'.* or use K's functions"):
        np.concatenate([p, p])
    with pytest.raises(TypeError, match=r"svd of numpy takes values, .*: use K\.svd to"):
        np.linalg.svd(p)


@pytest.mark.engine("tensorflow")
def test_functions_of_tensorflow(p):
    import tensorflow as tf

    for call, message in (
        (lambda: tf.reduce_mean(p), r"tensorflow\.reduce_mean takes values, .*: use K\.mean to"),
        (lambda: tf.math.reduce_logsumexp(p), "use K.logsumexp"),
        (lambda: tf.tanh(p), "use K.tanh"), (lambda: tf.concat([p, p], 0), "use K.concatenate"),
        (lambda: tf.nn.relu(p), "relu of tensorflow takes values.* use K.relu"),
        (lambda: tf.add(tf.ones((2, 3)), p), "use K.add"),
        (lambda: tf.function(lambda: tf.reduce_sum(p))(), "use K.sum"),
    ):
        with pytest.raises(TypeError, match=message):
            call()
    with pytest.raises(ValueError, match="or use K's functions"):
        tf.convert_to_tensor(p)
    assert float(tf.reduce_sum(K.variable([1.0, 2.0]))) == 3.0


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("left", [np.full((2, 3), 2.0, "float32"), np.float32(2)], ids=["array", "scalar"])
def test_operators_of_arrays(p, name, left):
    function = getattr(operator, name)
    result = K.function([p], [function(left, p)])
    x = np.array([[1, 2, 3], [4, 5, 6]], "float32")
    np.testing.assert_allclose(result([x])[0], function(left, x), rtol=1e-6)


@pytest.mark.engine("torch")
def test_functions_of_torch(p):
    import torch

    ones = torch.ones(2, 3)
    for call, message in (
        (lambda: torch.mean(p), "torch.mean takes values, not symbolic tensors such as <Tensor 'p' .*: use K.mean"),
        (lambda: torch.cat([p, p]), "torch.cat .* use K.concatenate"),
        (lambda: torch.nn.functional.relu(p), "torch.nn.functional.relu .* use K.relu"),
        (lambda: torch.add(ones, p), "torch.add .* use K.add"),
        (lambda: ones.dot(p), "the method dot takes values"),
    ):
        with pytest.raises(TypeError, match=message):
            call()
    for name in OPERATORS:
        result = K.function([p], [getattr(operator, name)(ones * 2, p)])([np.full((2, 3), 3.0, "float32")])[0]
        assert np.array_equal(result, getattr(operator, name)(2 * np.ones((2, 3), "float32"), np.float32(3))), name
