"""The precision of matrix products on accelerators: one choice for all engines."""

import pytest

import kbackend
from kbackend import K

ENGINE_SETTING = {
    "torch": "from torch import backends as b\ndef setting(): return b.cuda.matmul.allow_tf32, b.cudnn.allow_tf32",
    "tensorflow": "import tensorflow as tf\n"
    "def setting(): return (tf.config.experimental.tensor_float_32_execution_enabled(),) * 2",
}


@pytest.fixture(autouse=True)
def highest_again():
    yield
    K.set_matmul_precision("highest")


@pytest.mark.parametrize("engine", [pytest.param(name, marks=pytest.mark.engine(name)) for name in ENGINE_SETTING])
def test_the_choice_reaches_the_engine_whenever_it_is_loaded(engine, fresh_python):
    code = f"""
from kbackend import K
import kbackend
{ENGINE_SETTING[engine]}
kbackend.set_backend({engine!r})
print(setting())
K.set_matmul_precision("high")
print(setting())
"""
    assert fresh_python(code).split("\n")[:2] == ["(False, False)", "(True, True)"]
    before = code.replace("kbackend.set_backend", "K.set_matmul_precision('high'); kbackend.set_backend")
    assert fresh_python(before).split("\n")[0] == "(True, True)"


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="'medium'"):
        K.set_matmul_precision("medium")
    assert K.matmul_precision() == "highest"
    with kbackend.use_backend("numpy"):
        K.set_matmul_precision("high")
        assert K.matmul_precision() == "high"
