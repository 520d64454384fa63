"""Batches from generators, datasets, frames, files and sparse matrices train as the arrays do."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from support.batches import SIZE, STEPS, WEIGHTS, Numbered, Processes, X, Y, batch

import kbackend
from kbackend import Input, Model, Sequential, callbacks, layers
from kbackend.training.sources import prefetch
from kbackend.utils import PyDataset


@pytest.fixture(autouse=True)
def engine(request):
    name = request.getfixturevalue("each_backend") if "each_backend" in request.fixturenames else "numpy"
    with kbackend.use_backend(name):
        yield
    assert not [t for t in threading.enumerate() if t.name.startswith("kbackend")]


def model(built=True, **options):
    kbackend.set_seed(4)
    first = layers.Dense(3, activation="tanh", **({"input_shape": (4,)} if built else {}))
    made = Sequential([first, layers.Dense(1, name="out")])
    made.compile("adam", "mse", **{"metrics": ["mae"], **options})
    return made


def generator(*arrays, passes=10**6):
    for _ in range(passes):
        for index in range(STEPS):
            yield batch(index, *arrays)


class Again:
    """An iterable that does not know its length."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __iter__(self):
        return generator(*self.arrays, passes=1)


def expected(epochs=2, sample_weight=None, **options):
    made = model()
    history = made.fit(
        X, Y, SIZE, epochs, verbose=0, shuffle=False, sample_weight=sample_weight, validation_data=(X, Y), **options
    )
    return history.history, made


def same(history, other):
    assert history.keys() == other.keys()
    for name in history:
        np.testing.assert_allclose(history[name], other[name], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [{}, {"workers": 0}, {"workers": 3, "max_queue_size": 2}, {"max_queue_size": 1}],
    ids=["thread", "inline", "three", "one"],
)
@pytest.mark.parametrize(
    "data", [Numbered, lambda: Again(X, Y), lambda: generator(X, Y)], ids=["numbered", "again", "once"]
)
def test_batches_train_as_arrays_do(each_backend, data, options):
    given = data()
    steps = {"steps_per_epoch": STEPS} if hasattr(given, "__next__") else {}
    made = model()
    history = made.fit(
        given, epochs=2, verbose=0, shuffle=False, validation_data=Numbered(), **steps, **options
    ).history
    reference, other = expected()
    same(history, reference)
    for a, b in zip(made.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_each_batch_may_have_weights_and_a_last_one_that_is_smaller(each_backend):
    history = model().fit(Again(X, Y, WEIGHTS), epochs=2, verbose=0, validation_data=(X, Y)).history
    same(history, expected(sample_weight=WEIGHTS)[0])
    found, whole = model().evaluate(Again(X, Y, WEIGHTS)), model().evaluate(X, Y, 70, sample_weight=WEIGHTS)
    np.testing.assert_allclose(found, whole, rtol=1e-5)


def test_batches_that_differ_from_the_last_are_taken_as_the_first_is(each_backend):
    """Ready batches like the last one are not checked again; what is cast, of another size, transposed or listed is."""
    def batches():
        yield from ((X[:8], Y[:8]), (X[8:16], Y[8:16]), (X[16:24].astype(np.float64), Y[16:24]), (X[24:32], Y[24:32]))
        yield from ((np.asfortranarray(X[32:40]), Y[32:40]), (X[40:45], Y[40:45]), [X[45:50], Y[45:50]])
        yield from (([X[50:58]], Y[50:58]), (X[58:66].tolist(), Y[58:66]), (X[66:], Y[66:]))

    made, other = model(), model()
    history = made.fit(batches(), verbose=0).history
    for start, stop in zip((0, 8, 16, 24, 32, 40, 45, 50, 58, 66), (8, 16, 24, 32, 40, 45, 50, 58, 66, 70)):
        means = other.train_on_batch(X[start:stop], Y[start:stop], reset_metrics=False)
    np.testing.assert_allclose([history["loss"][0], history["mae"][0]], means, rtol=1e-6)
    for a, b in zip(made.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_class_weights_apply_to_each_batch(each_backend):
    labels = (Y > 0).astype(np.float32)
    by_class = model().fit(Again(X, labels), class_weight={0: 1.0, 1: 3.0}, verbose=0).history
    by_sample = model().fit(X, labels, SIZE, verbose=0, shuffle=False, class_weight={0: 1.0, 1: 3.0}).history
    same(by_class, by_sample)


def test_evaluate_and_predict_take_batches(each_backend):
    made = model()
    np.testing.assert_allclose(made.evaluate(Numbered()), made.evaluate(X, Y, SIZE), rtol=1e-6)
    np.testing.assert_allclose(made.predict(Numbered()), made.predict(X, SIZE), rtol=1e-6)
    rows = [*range(70), *range(2 * SIZE)]
    np.testing.assert_allclose(made.predict(generator(X, passes=2), steps=7), made.predict(X, SIZE)[rows], rtol=1e-6)


def test_the_methods_of_keras_2(each_backend):
    made = model()
    history = made.fit_generator(generator(X, Y), STEPS, 2, 0, None, (X, Y)).history
    same(history, expected()[0])
    np.testing.assert_allclose(made.evaluate_generator(generator(X, Y), STEPS), made.evaluate(X, Y, SIZE), rtol=1e-6)
    np.testing.assert_allclose(made.predict_generator(generator(X, Y), STEPS), made.predict(X, SIZE), rtol=1e-6)


def test_a_model_without_a_shape_is_built_by_the_first_batch_which_is_not_lost(each_backend):
    made = model(built=False)
    same(made.fit(generator(X, Y, passes=1), verbose=0, validation_data=(X, Y)).history, expected(1)[0])


def test_an_epoch_goes_on_where_the_last_one_ended():
    seen = []

    class Seen(Numbered):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    model().fit(Seen(), epochs=2, steps_per_epoch=4, verbose=0, shuffle=False)
    assert seen == [0, 1, 2, 3, 4, 0, 1, 2]
    seen.clear()
    model().fit(Seen(), epochs=2, steps_per_epoch=STEPS, verbose=0)
    assert sorted(seen) == sorted([*range(STEPS)] * 2) and seen != [*range(STEPS)] * 2


def test_a_generator_is_read_no_further_than_its_steps():
    given = generator(X, Y)
    model().fit(given, steps_per_epoch=3, epochs=2, verbose=0)
    np.testing.assert_array_equal(next(given)[0], X[SIZE : 2 * SIZE])


def test_epochs_begin_and_end_for_the_dataset_between_passes():
    events = []

    class Told(Numbered):
        def __getitem__(self, index):
            events.append(index)
            return super().__getitem__(index)

        def on_epoch_begin(self):
            events.append("begin")

        def on_epoch_end(self):
            events.append("end")

    model().fit(Told(), epochs=2, verbose=0, shuffle=False)
    assert events == ["begin", *range(STEPS), "end"] * 2


def test_a_dataset_may_change_its_length_between_passes():
    class Falling(Numbered):
        count = 4

        def __len__(self):
            return self.count

        def on_epoch_end(self):
            self.count -= 1

    def told(**options):
        seen = []

        class Params(callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                seen.append([self.params["steps"], 0])

            def on_train_batch_end(self, batch, logs=None):
                seen[-1][1] += 1

        model().fit(Falling(), epochs=3, verbose=0, callbacks=[Params()], **options)
        return seen

    assert told() == [[4, 4], [3, 3], [2, 2]]
    assert told(steps_per_epoch=4) == [[4, 4]] * 3


def test_a_dataset_without_an_end():
    class Endless(PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return batch(index % STEPS, X, Y)

    found = model().fit(Endless(), steps_per_epoch=STEPS, epochs=2, verbose=0, validation_data=(X, Y)).history
    same(found, expected()[0])
    with pytest.raises(ValueError, match=r"x: the dataset Endless has no end; .*steps_per_epoch=100"):
        model().fit(Endless(), verbose=0)


def test_workers_may_be_processes():
    data = Processes(os.getpid())
    found = model().fit(data, verbose=0, shuffle=False, workers=2, use_multiprocessing=True).history
    weights = np.where(np.arange(70) < SIZE, 0, 1)  # the first batch is read before the processes start
    same(found, model().fit(X, Y, SIZE, verbose=0, shuffle=False, sample_weight=weights).history)


def test_a_dataset_that_processes_cannot_get_is_refused():
    data = Numbered()
    data.lock = threading.Lock()
    with pytest.raises(ValueError, match=r"can be pickled, Numbered cannot: .*lock"):
        model().fit(data, verbose=0, use_multiprocessing=True)


def test_the_workers_of_a_dataset_are_its_own():
    names = set()

    class Named(Numbered):
        def __getitem__(self, index):
            names.add(threading.current_thread().name)
            return super().__getitem__(index)

    model().fit(Named(workers=2), verbose=0, epochs=2)
    assert any("worker" in name for name in names)
    names.clear()
    model().fit(Named(workers=0), verbose=0)
    assert names == {threading.main_thread().name}


def test_targets_by_name_beside_the_inputs(each_backend):
    kbackend.set_seed(4)
    a = Input((4,), name="a")
    hidden = layers.Dense(3, activation="tanh")(a)
    made = Model(a, layers.Dense(1, name="y")(hidden))
    made.compile("adam", "mse", metrics=["mae"])
    start = made.get_weights()
    reference = made.fit(X, Y, SIZE, verbose=0, shuffle=False).history
    made.set_weights(start)
    made.compile("adam", "mse", metrics=["mae"])
    same(made.fit({"a": X, "y": Y}, batch_size=SIZE, verbose=0, shuffle=False).history, reference)
    given = iter([{"a": X[:50], "y": Y[:50]}])
    np.testing.assert_allclose(made.evaluate(given), made.evaluate(X[:50], Y[:50]), rtol=1e-6)
    with pytest.raises(ValueError, match="the targets are missing"):
        made.fit({"a": X}, verbose=0)


def test_pandas(each_backend):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": np.arange(70) % 2 == 0, "c": np.arange(70), "d": X[:, 3]})
    frame["c"] = frame["c"].astype("Int64")
    plain = np.stack([X[:, 0], np.arange(70) % 2 == 0, np.arange(70), X[:, 3]], axis=1)
    weights = pandas.Series(WEIGHTS)
    found = model().fit(frame, pandas.Series(Y[:, 0]), verbose=0, sample_weight=weights, validation_split=0.2).history
    same(found, model().fit(plain, Y, verbose=0, sample_weight=WEIGHTS, validation_split=0.2).history)
    np.testing.assert_allclose(model().predict_on_batch(frame), model().predict(plain), rtol=1e-6)
    np.testing.assert_array_equal(model().predict_on_batch([frame]), model().predict_on_batch(frame))
    with pytest.raises(ValueError, match=r"the column 'city' has the dtype (object|str)"):
        model().fit(frame.assign(city="x")[["a", "b", "c", "city"]], Y, verbose=0)


def test_columns_of_a_frame_feed_inputs_of_their_names():
    pandas = pytest.importorskip("pandas")
    inputs = [Input((1,), name="a"), Input((1,), name="b")]
    made = Model(inputs, layers.concatenate(inputs))
    found = made.predict(pandas.DataFrame({"b": [3.0], "a": [1.0]}))
    np.testing.assert_array_equal(found, [[1, 3]])


def test_sparse_matrices_are_dense_a_batch_at_a_time(each_backend):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(np.abs(X) > 0.7, X, 0)
    for kind in (sparse.csr_matrix, sparse.coo_matrix, sparse.csr_array):
        found = model().fit(kind(dense), Y, verbose=0, validation_split=0.3, batch_size=SIZE).history
        same(found, model().fit(dense, Y, verbose=0, validation_split=0.3, batch_size=SIZE).history)
    made = model(built=False)
    made.fit(sparse.csr_matrix(dense), Y, verbose=0)
    np.testing.assert_allclose(made.test_on_batch(sparse.csr_matrix(dense), Y), made.test_on_batch(dense, Y), rtol=1e-6)
    np.testing.assert_allclose(made.predict(sparse.csr_matrix(dense)), made.predict(dense), rtol=1e-5)
    found = model().fit(iter([(sparse.csr_matrix(dense), Y)]), verbose=0).history
    same(found, model().fit(dense, Y, 70, verbose=0).history)


def test_a_mapped_file_is_read_a_batch_at_a_time(tmp_path, monkeypatch, each_backend):
    from kbackend.training.sources.rows import Rows

    bytes_ = np.memmap(tmp_path / "x", np.uint8, "w+", shape=(70, 4))
    bytes_[:] = np.abs(X * 50).astype(np.uint8)
    read = []
    dense = Rows._dense
    monkeypatch.setattr(Rows, "_dense", lambda self, rows: read.append(len(rows)) or dense(self, rows))
    found = model().fit(bytes_, Y, SIZE, 2, verbose=0, validation_split=0.2).history
    assert max(read) <= SIZE and sum(read) >= 2 * 70
    same(found, model().fit(np.array(bytes_), Y, SIZE, 2, verbose=0, validation_split=0.2).history)


def test_torch_datasets_and_loaders_are_known_without_the_engine(each_backend):
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, IterableDataset, TensorDataset

    class Rows(IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y))

    data = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    reference = expected()[0]
    options = {"epochs": 2, "verbose": 0, "validation_data": (X, Y)}
    same(model().fit(DataLoader(data, SIZE), **options).history, reference)
    same(model().fit(data, batch_size=SIZE, shuffle=False, **options).history, reference)
    same(model().fit(data, batch_size=SIZE, shuffle=False, workers=2, **options).history, reference)
    same(model().fit(Rows(), batch_size=SIZE, **options).history, reference)
    shuffled = model().fit(X, Y, SIZE, 2, 0, validation_data=(X, Y)).history
    same(model().fit(data, batch_size=SIZE, **options).history, shuffled)
    np.testing.assert_allclose(model().predict(DataLoader(data, SIZE)), model().predict(X, SIZE), rtol=1e-5)


def test_tf_data_is_known_without_the_engine(each_backend):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE)
    same(model().fit(data, epochs=2, verbose=0, validation_data=data).history, expected()[0])
    same(
        model().fit(data.repeat(), steps_per_epoch=STEPS, epochs=2, verbose=0, validation_data=data).history,
        expected()[0],
    )
    with pytest.raises(ValueError, match=r"x: a tf.data.Dataset has no end; .*steps_per_epoch=100"):
        model().fit(data.repeat(), verbose=0)


def test_callbacks_know_what_is_known_of_the_length(capsys):
    seen = []

    class Params(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.params["steps"], self.params["samples"], self.validation_data))

    for given in (Again(X, Y), Numbered()):
        model().fit(given, verbose=2, callbacks=[Params()])
    model().fit(generator(X, Y), steps_per_epoch=2, verbose=2, callbacks=[Params()])
    assert seen == [(None, None, None), (STEPS, None, None), (2, None, None)]
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["5", "5", "2"]


@pytest.mark.parametrize("quick, alone", [(60.0, 6), (-1.0, 4)])
def test_ready_batches_are_read_without_a_thread_and_slow_ones_with_one(monkeypatch, quick, alone):
    monkeypatch.setattr(prefetch, "_QUICK", quick)
    readers = []

    def batches():
        for number in range(6):
            readers.append(threading.current_thread())
            yield number
        raise ValueError("no more")

    some = prefetch.prefetched_if_slow(batches(), 2)
    assert [next(some) for _ in range(6)] == list(range(6))
    assert [reader is threading.main_thread() for reader in readers] == [True] * alone + [False] * (6 - alone)
    with pytest.raises(ValueError, match="no more"):
        next(some)
