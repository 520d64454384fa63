"""What the NumPy backend computes without packages that take much memory, against these packages."""

import numpy as np
import pytest
from numpy.polynomial.chebyshev import cheb2poly

from kbackend import K, dtypes
from kbackend_numpy import blas, special


@pytest.mark.parametrize("series", [special._NEAR, special._FAR, special._FAR[:13], (1.0, 0.5), (2.0,)], ids=len)
def test_series_by_powers_have_the_bits_of_numpy(series):
    assert special._powers(series, np.float64) == list(reversed(cheb2poly(series)))


def test_the_threads_of_the_blas_are_those_of_threadpoolctl():
    get, put = blas.functions()
    ask, tell = blas._by_threadpoolctl()
    before = get()
    try:
        for number in (1, 2):
            put(number)
            assert ask() == number
            tell(before)
            assert get() == before
    finally:
        put(before)


def test_gradients_of_bfloat16_pass_through_sums():
    x = K.placeholder((3,), dtype="bfloat16")
    total = K.sum(x * x)
    found = K.function([x], K.gradients(total, [x]))([np.array([1.0, 2.0, 3.0], dtypes.numpy_dtype("bfloat16"))])
    assert found[0].astype(np.float32).tolist() == [2.0, 4.0, 6.0]


def test_what_waits_for_bfloat16_is_called_once_it_is_used():
    met = []
    dtypes.when_bfloat16(met.append)
    assert met == [dtypes.numpy_dtype("bfloat16")]
