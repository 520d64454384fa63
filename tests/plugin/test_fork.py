"""Forked children: NumPy and PyTorch work there, TensorFlow says that it cannot; nothing waits for ever."""

from __future__ import annotations

import os

import pytest

SCRIPT = """
import os, signal
import numpy as np
from kbackend import Input, K, Model, layers
x = Input((64,))
m = Model(x, layers.Dense(64)(layers.Dense(256, activation="relu")(x)))
m.compile("adam", "mse")
data = np.ones((512, 64), "float32")
m.fit(data, data, verbose=0)
expected = m.predict(data)
child = os.fork()
if child == 0:
    signal.alarm(60)
    try:
        assert np.allclose(m.predict(data), expected, rtol=1e-5, atol=1e-6)
        m.fit(data, data, verbose=0)
        z = K.placeholder((3, 3))
        assert K.function([z], [K.dot(z, z)])([np.ones((3, 3))])[0][0, 0] == 3
        print("works", flush=True)
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
same = np.array_equal if os.environ["KBACKEND_THREADS"] == "2" else np.allclose  # other threads, other last bits
assert same(m.predict(data), expected)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("threads", ["2", "auto"])
def test_a_forked_child_works_or_says_what_to_do(each_backend, fresh_python, threads):
    environment = {"KBACKEND": each_backend, "OMP_NUM_THREADS": "2", "KBACKEND_THREADS": threads}
    printed = fresh_python(SCRIPT, environment)
    assert ("spawn" if each_backend == "tensorflow" else "works") in printed
