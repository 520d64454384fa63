"""Names of dtypes."""

from __future__ import annotations

import pytest

from kbackend import K, dtypes


@pytest.fixture
def floatx_kept():
    kept = K.floatx()
    yield
    K.set_floatx(kept)


@pytest.mark.parametrize("name", ["float", float], ids=["text", "type"])
def test_float_is_the_floatx_of_now(name, floatx_kept):
    for floatx in ("float32", "float64", "float16"):
        K.set_floatx(floatx)
        assert dtypes.canonical(name) == floatx
        assert K.placeholder((2,), dtype=name).dtype == floatx


def test_bool_beside_a_number_takes_the_dtype_of_the_number():
    mask = K.placeholder((2,), dtype="bool")
    assert (mask + K.placeholder((2,), dtype="int8")).dtype == "int8"
    assert (mask * K.placeholder((2,), dtype="float16")).dtype == "float16"
    assert (mask + 1).dtype == "int32" and (mask * 2.0).dtype == K.floatx()
    with pytest.raises(TypeError, match="bool"):
        mask + mask
