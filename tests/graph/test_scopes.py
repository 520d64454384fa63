"""Name scopes belong to the thread, or the task, that opened them."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from kbackend import Input, K, layers


@pytest.fixture
def frequent_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.engine("numpy")
def test_threads_that_build_and_lower_leave_the_names_of_others_alone(frequent_switches):
    wrong: list[str] = []

    def build() -> None:
        for _ in range(30):
            layer = layers.Dense(3, name="d")
            layer(Input((4,)))
            wrong.extend(w.name for w in layer.weights if w.name not in ("d/kernel", "d/bias"))

    def lower() -> None:
        for _ in range(20):
            z = K.placeholder((None, 3))
            K.function([z], [K.mean(K.softmax(z))])([np.ones((2, 3))])

    threads = [threading.Thread(target=t) for t in (build, build, build, build, lower, lower)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert "/" not in K.placeholder((1,), name="zz").name


@pytest.mark.engine("numpy")
def test_a_scope_of_one_thread_does_not_show_in_another():
    names: list[str] = []
    with K.name_scope("outer"):
        thread = threading.Thread(target=lambda: names.append(K.placeholder((1,), name="inside").name))
        thread.start()
        thread.join()
        names.append(K.placeholder((1,), name="inside").name)
    assert names == ["inside", "outer/inside"]
