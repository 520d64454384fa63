"""Nothing grows with the number of calls: no objects, no memory, no programs, no traces."""

from __future__ import annotations

import ctypes
import gc
import linecache

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, streams

RNG = np.random.default_rng(0)


def small_model():
    x = Input((4,))
    h = layers.Dropout(0.2)(layers.Dense(3, activation="relu")(x))
    model = Model(x, layers.Dense(2, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def collect():
    """Collect garbage, and what its finalizers let go."""
    for _ in range(3):
        gc.collect()


def left(call, times):
    """Objects of Python and MiB of memory that ``times`` calls leave behind."""
    collect()
    objects, memory = len(gc.get_objects()), in_use()
    for _ in range(times):
        call()
    collect()
    return len(gc.get_objects()) - objects, in_use() - memory


def grows(call, times, warm, objects=50, memory=6):
    """What the calls leave behind, if that is much three times in a row: an engine's threads or the allocator may take
    memory once, a leak does so each time."""
    for _ in range(warm):
        call()
    found = [left(call, times)]
    while found[-1][0] >= objects or found[-1][1] >= memory:
        if len(found) == 3:
            return found
        found.append(left(call, times))
    return None


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]


def in_use():
    """MiB that malloc has given out; the process keeps what is freed, so that its size tells little."""
    try:
        info = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        pytest.skip("the memory in use is asked of glibc's mallinfo2, which this system lacks")
    info.restype = _Mallinfo2
    found = info()
    return (found.uordblks + found.hblkhd) / 2**20


def test_functions(each_backend):
    x = K.placeholder((None, 4))
    total = K.variable(0.0)
    function = K.function([x], [K.sum(K.tanh(x))], updates=[(total, total + 1)])
    value = RNG.normal(size=(2, 4)).astype("float32")
    assert not grows(lambda: function([value]), 10_000, 2_000)
    assert K.get_value(total) % 10_000 == 2_000 and len(function.programs) == 1


def test_predict(each_backend):
    model, rows = small_model(), RNG.normal(size=(3, 4)).astype("float32")
    assert not grows(lambda: model.predict_on_batch(rows), 10_000, 2_000)
    assert model.programs_made("predict") == 1


def test_fit(each_backend):
    """Two steps a call, the last of another size."""
    model = small_model()
    x, y = RNG.normal(size=(6, 4)).astype("float32"), RNG.integers(0, 2, 6)
    assert not grows(lambda: model.fit(x, y, batch_size=4, verbose=0), 1_000, 100, 200)
    assert model.programs_made("train") == 1


def test_concrete_calls_of_many_shapes(each_backend):
    from kbackend.plugin.select import active_target

    sizes = iter(range(1, 100_000))

    def call():
        array = np.ones(next(sizes) % 997 + 1, np.float32)
        K.tanh(active_target().from_numpy(array))

    assert not grows(call, 4_000, 1_500, 2_000)


def test_models_that_are_built_trained_and_dropped(each_backend):
    """Objects of Python, sources of programs and paths of draws go with a model; 4 bytes for each op id stay."""
    x, y = RNG.normal(size=(4, 4)).astype("float32"), RNG.integers(0, 2, 4)

    def call():
        small_model().train_on_batch(x, y)

    for _ in range(5_000):  # the parts of the set of op ids are all there
        streams.stream_of("test_models")
    call()
    gc.collect()
    sources, paths = len(linecache.cache), len(streams._process.uses)
    # 0.35 MiB of each program stay in TensorFlow's own runtime
    assert not grows(call, 40, 2, objects=20, memory=20 if each_backend == "tensorflow" else 1)
    assert len(linecache.cache) <= sources and len(streams._process.uses) == paths


def test_a_source_is_there_while_its_program_lives():
    program = K.function([], [K.tanh(K.variable(1.0))])
    program([])
    file = next(iter(program.programs.values())).emitted.function.__code__.co_filename
    assert linecache.getline(file, 1).startswith("def ")
    del program
    gc.collect()
    assert file not in linecache.cache


def test_building_takes_time_in_proportion():
    """Nodes made a layer do not grow with depth."""
    from kbackend.graph.node import Node

    made = []
    whole = Node.__init__

    def counted(depth):
        made.clear()
        x = h = Input((4,))
        for _ in range(depth):
            h = layers.Dense(4)(h)
        Model(x, h)
        return len(made)

    try:
        Node.__init__ = lambda self, *rest, **names: made.append(1) or whole(self, *rest, **names)
        ten, twenty, forty = counted(10), counted(20), counted(40)
    finally:
        Node.__init__ = whole
    assert forty - twenty == 2 * (twenty - ten) > 0


def test_a_leak_is_found():
    kept = []
    assert grows(lambda: kept.append([]), 100, 1)
    assert grows(lambda: kept.append(np.ones(2**18, np.float32)), 10, 1)
    assert not grows(lambda: [], 100, 1)
