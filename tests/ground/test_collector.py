"""The garbage collector rests while programs are made, and is as it was afterwards."""

import gc

import numpy as np
import pytest

from kbackend import Input, K, Model, layers
from kbackend.ground.collector import collector_at_rest


@pytest.fixture(autouse=True)
def on():
    was = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was else gc.disable)()


def test_contexts_inside_each_other():
    with collector_at_rest():
        with collector_at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    with collector_at_rest():
        pass
    assert not gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(ZeroDivisionError), collector_at_rest():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_it_rests_while_a_step_is_made(each_backend):
    x = h = Input((2,))
    for _ in range(300):
        h = h * 0.5 + x
    model = Model(x, layers.Dense(1)(h))
    model.compile("adam", "mse")
    collected = []

    def called(phase, info):
        collected.append(info["generation"])

    gc.collect()
    gc.callbacks.append(called)
    try:
        program = model._steps.train().function.program(model._steps.target(), 1)
    finally:
        gc.callbacks.remove(called)
    assert gc.isenabled() and len(program.source.splitlines()) > 600 and 2 not in collected and len(collected) < 8
    model.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    assert K.get_value(model.optimizer.iterations) == 1


def test_what_lasts_is_old_without_a_visit():
    collected = []
    gc.unfreeze()  # what the fixtures of all tests froze
    gc.callbacks.append(lambda phase, info: collected.append(phase))
    try:
        with collector_at_rest(lasting=True):
            kept = [[] for _ in range(10_000)]
    finally:
        gc.callbacks.pop()
        young, old = (len(gc.get_objects(generation=n)) for n in (0, 2))
        gc.freeze()
    assert not collected and young < len(kept) < old


def test_what_a_program_froze_stays_frozen():
    gc.freeze()
    before = gc.get_freeze_count()
    with collector_at_rest(lasting=True):
        pass
    assert gc.get_freeze_count() == before > 0
