"""Memory that a step frees is kept for the next one, unless the user wants otherwise."""

from __future__ import annotations

import platform

import pytest

from kbackend.plugin import memory

GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
CODE = """
import resource
import numpy as np
import kbackend
from kbackend import K
kbackend.set_backend("{engine}")
x = K.placeholder((None, 512))
f = K.function([x], [K.sum(K.tanh(K.exp(x) + 1.0) * x)])
rows = np.ones((2048, 512), "float32")
for _ in range(3):
    f([rows])
found = []
for _ in range(11):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    f([rows])
    found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(sorted(found)[5])
"""


def faults(fresh_python, engine, **environment):
    return int(fresh_python(CODE.format(engine=engine), environment))


@GLIBC
@pytest.mark.parametrize("engine", ["numpy", pytest.param("torch", marks=pytest.mark.engine("torch"))])
def test_a_call_takes_no_new_pages(fresh_python, engine):
    """In the middle of eleven calls; an array has 1,024 pages, and a call makes four."""
    assert faults(fresh_python, engine) < 200


@GLIBC
def test_without_it_numpy_takes_new_pages_for_each_array(fresh_python):
    """Torch may or may not: glibc moves its threshold by what has been freed."""
    assert faults(fresh_python, "numpy", KBACKEND_KEEP_MEMORY="0") > 500


@GLIBC
@pytest.mark.parametrize(
    "environment",
    [{"KBACKEND_KEEP_MEMORY": "0"}, {"MALLOC_TRIM_THRESHOLD_": "1"}, {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=1"}],
)
def test_the_user_has_the_last_word(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not memory.keep_freed.__wrapped__()


@GLIBC
def test_glibc_takes_it(monkeypatch):
    for name in ("KBACKEND_KEEP_MEMORY", "GLIBC_TUNABLES", *memory._OWN_SETTINGS):
        monkeypatch.delenv(name, raising=False)
    assert memory.keep_freed.__wrapped__()


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_freed.__wrapped__()
