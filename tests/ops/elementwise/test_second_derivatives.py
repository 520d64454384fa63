"""Second derivatives of smooth functions where their stable forms change sides."""

import numpy as np
import pytest

from kbackend import K, losses, ops

#: function, and its second derivative at 0
SMOOTH = {
    "log_cosh": (lambda x: losses.log_cosh(0.0 * x[:, None], x[:, None]), 1.0),
    "log_sigmoid": (ops.log_sigmoid, -0.25),
    "logaddexp": (lambda x: ops.logaddexp(x, 0.5 * x), 0.0625),
    "logaddexp2": (lambda x: ops.logaddexp2(x, 0.5 * x), 0.0625 * np.log(2)),
    "mish": (ops.mish, 0.64),
    "sigmoid": (K.sigmoid, 0.0),
    "softplus": (K.softplus, 0.25),
}


def test_at_the_place_where_the_sides_meet(each_backend):
    x = K.placeholder((1,), dtype="float64")
    seconds = []
    for function, _ in SMOOTH.values():
        (first,) = K.gradients(K.sum(function(x)), [x])
        seconds += K.gradients(K.sum(first), [x])
    found = K.function([x], seconds)([np.zeros(1)])
    assert {name: float(value[0]) for name, value in zip(SMOOTH, found)} == pytest.approx(
        {name: wanted for name, (_, wanted) in SMOOTH.items()}, abs=1e-6
    )


def test_sums_of_exponentials_that_are_not_finite(each_backend):
    infinite = np.array([np.inf, -np.inf, np.inf, np.nan, np.inf])
    others = np.array([np.inf, -np.inf, -np.inf, 1.0, 1.0])
    found = K.eval(ops.logaddexp(K.constant(infinite, "float64"), K.constant(others, "float64")))
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.inf, np.nan, np.inf])
