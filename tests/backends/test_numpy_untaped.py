"""NumPy's functions without autograd's wrapper where no gradient is taken, and with it where one is."""

from __future__ import annotations

import autograd
import numpy as np
import pytest
from autograd.core import VJPNode, primitive_vjps
from autograd.differential_operators import make_jvp
from autograd.extend import defjvp, defvjp, defvjp_argnums
from autograd.tracer import new_box

from kbackend import K, ops
from kbackend.plugin.select import get_backend
from kbackend_numpy import recording

pytestmark = [pytest.mark.processor, pytest.mark.usefixtures("engine")]


def kernels(program, op):
    return [f for name, f in program.emitted.namespace.items() if name.rpartition("_")[0] == op or name == op]


def taped(function):
    return getattr(function, "_is_autograd_primitive", False)


def test_only_what_a_gradient_goes_through_has_the_wrapper():
    x = K.placeholder((3,))
    (slope,) = K.gradients(K.sum(K.tanh(x)), [x])
    function = K.function([x], [slope, K.tanh(2.0 - x)])
    found = function([np.array([0.0, 1.0, 2.0], np.float32)])
    np.testing.assert_allclose(found, [1 - np.tanh([0, 1, 2]) ** 2, np.tanh([2, 1, 0])], rtol=1e-6)
    (program,) = function.programs.values()
    assert sorted(map(taped, kernels(program, "tanh"))) == [False, True]


def test_the_body_of_a_loop_has_the_wrapper_where_the_loop_is_differentiated():
    x = K.placeholder((2,))

    def halved(value):
        return ops.fori_loop(0, 3, lambda i, v: K.tanh(v) * 0.5, value)

    plain, slopes = K.function([x], [halved(x)]), K.function([x], K.gradients(K.sum(halved(x)), [x]))
    at = np.array([0.3, -1.2], np.float32)
    step = np.float32(1e-2)
    central = (plain([at + step])[0] - plain([at - step])[0]) / (2 * step)
    np.testing.assert_allclose(slopes([at])[0], central, rtol=1e-2)
    assert not any(map(taped, kernels(*plain.programs.values(), "tanh")))


def test_joined_tensors_need_no_tape():
    x, y = np.ones((2, 1), np.float32), np.zeros((2, 1), np.float32)
    assert np.asarray(K.concatenate([x, y])).tolist() == [[1.0, 0.0]] * 2
    assert np.asarray(K.stack([x, y], 1)).shape == (2, 2, 1)
    a, b = K.placeholder((2, 1)), K.placeholder((2, 1))
    for joined in (K.concatenate([a, b]), K.stack([a, b], 1)):
        slope = K.function([a, b], K.gradients(K.sum(joined * joined), [a]))
        assert slope([3 * x, y])[0].tolist() == [[6.0]] * 2


@pytest.mark.parametrize("boxed", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("levels", [(0, 0), (0, 1), (1, 0), (2, 2)])
def test_a_primitive_records_what_that_of_autograd_records(boxed, levels):
    values = [np.array([1.0, 2.0]), np.array([[3.0], [5.0]])]
    multiply = get_backend("numpy").kernels["multiply"]
    theirs = autograd.extend.primitive(multiply.fun)
    defvjp_argnums(theirs, primitive_vjps[multiply])
    found = []
    for function in (theirs, multiply):
        roots = [new_box(value, level, VJPNode.new_root()) for value, level in zip(values, levels)]
        boxes = [root if i in boxed else value for i, (root, value) in enumerate(zip(roots, values))]
        result = function(*boxes)
        places = [boxes[i]._node for i in boxed if levels[i] == result._trace]
        assert list(map(id, result._node.parents)) == list(map(id, places))
        inner = result._value._value if len({levels[i] for i in boxed}) == 2 else result._value
        slopes = [getattr(slope, "_value", slope) for slope in result._node.vjp(np.ones((2, 2)))]
        found.append([result._trace, inner, *slopes])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[0][0] == max(levels[i] for i in boxed)


def test_a_primitive_goes_through_other_traces_and_says_what_it_has_no_gradient_for():
    @recording.primitive
    def double(x):
        """Twice."""
        return 2 * x

    assert double(3) == 6 and (double.__name__, double.__doc__) == ("double", "Twice.")
    with pytest.raises(NotImplementedError, match="VJP of double"):
        autograd.grad(double)(1.0)
    defvjp(double, lambda ans, x: lambda g: 2 * g)
    defjvp(double, lambda g, ans, x: 2 * g)
    assert autograd.grad(double)(1.0) == 2.0 and autograd.grad(autograd.grad(lambda x: double(x) * x))(1.0) == 4.0
    assert make_jvp(double)(1.0)(3.0) == (2.0, 6.0)
