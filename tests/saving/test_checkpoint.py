"""A training that goes on from a checkpoint equals one that was never interrupted."""

import hashlib
import json
import os
import signal
import struct

try:
    import fcntl
except ImportError:
    fcntl = None

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.callbacks import Callback
from kbackend.ground.files import write_atomically
from kbackend.saving import FormatError

X = np.random.RandomState(0).rand(70, 6).astype(np.float32)
Y = X[:, :2] * 2 - 1


@pytest.fixture(autouse=True)
def fixed_threads():
    """Runs are equal to the bit where the number of threads is not measured."""
    kbackend.set_threads(1)
    yield
    kbackend.set_threads("auto")


def build(seed=7, optimizer="adam", rate=0.3, units=8):
    kbackend.set_seed(seed)
    x = Input((6,))
    h = layers.Dropout(K.variable(rate))(layers.Dense(units, activation="tanh")(x))
    h = K.dropout(layers.BatchNormalization()(h), 0.1)
    model = Model(x, layers.Dense(2)(h))
    model.compile(optimizer, "mse")
    return model


def train(model, epochs, initial_epoch=0, **options):
    history = model.fit(
        X, Y, batch_size=16, epochs=epochs, initial_epoch=initial_epoch, verbose=0, **options
    )
    return history.history["loss"]


def state(model):
    return [w.tobytes() for w in [*model.get_weights(), *model.optimizer.get_weights()]]


def test_a_resumed_run_equals_the_uninterrupted_one(each_backend, tmp_path):
    whole = build()
    losses = train(whole, 5)

    first = build()
    train(first, 3)
    K.set_value(first.optimizer.lr, 0.001)
    first.save_checkpoint(tmp_path / "at3")

    second = build()
    kbackend.set_seed(12345)  # what happens elsewhere in the process does not matter
    assert second.load_checkpoint(tmp_path / "at3") == 3
    assert train(second, 5, initial_epoch=3) == losses[3:]
    assert state(second) == state(whole)


def test_a_checkpoint_in_a_callback_is_at_the_end_of_its_epoch(tmp_path):
    class Save(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.save_checkpoint(tmp_path / str(epoch))

    whole = build()
    losses = train(whole, 3, callbacks=[Save()])
    again = build()
    assert again.load_checkpoint(tmp_path / "0") == 1
    assert train(again, 3, initial_epoch=1) == losses[1:]


def test_live_rates_come_along(tmp_path):
    model = build()
    K.set_value(model.layers[2].rate, 0.75)
    model.save_checkpoint(tmp_path / "c")
    other = build()
    other.load_checkpoint(tmp_path / "c")
    assert K.get_value(other.layers[2].rate) == np.float32(0.75)


@pytest.mark.together
def test_a_checkpoint_moves_between_engines(tmp_path):
    engines = kbackend.available_backends()
    losses = {}
    for engine in engines:
        model = build().to(engine)
        train(model, 1)
        model.save_checkpoint(tmp_path / engine)
        for other in engines:
            resumed = build().to(other)
            resumed.load_checkpoint(tmp_path / engine)
            losses[engine, other] = train(resumed, 2, initial_epoch=1)[0]
    for value in losses.values():
        assert value == pytest.approx(losses["numpy", "numpy"], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 8}, r"\['7'\], the model's \['8'\]"),
        ({"optimizer": "sgd"}, "optimizer Adam"),
        ({"units": 9}, "shape"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(tmp_path, change, message):
    build().save_checkpoint(tmp_path / "c")
    model = build(**change)
    train(model, 1)
    before = state(model)
    with pytest.raises(FormatError, match=message):
        model.load_checkpoint(tmp_path / "c")
    assert state(model) == before and model.epochs_seen == 1


def damaged(path, change):
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + length])
    own = json.loads(head["__metadata__"]["kbackend"])
    change(head, own)
    head["__metadata__"]["kbackend"] = text = json.dumps(own)
    head["__metadata__"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda head, own: own.update(format="x"),
        lambda head, own: own.update(version=4),
        lambda head, own: own.update(epochs=-1),
        lambda head, own: own.update(epochs=True),
        lambda head, own: own.update(epochs="1"),
        lambda head, own: own.update(shuffle_seed=1 << 64),
        lambda head, own: own.pop("draws"),
        lambda head, own: own["variables"].pop(),
        lambda head, own: own["variables"].__setitem__(0, 3),
        lambda head, own: head.update(v99=head.pop("v0")),
        lambda head, own: head["v0"].update(shape=[1 << 40, 8]),
        lambda head, own: head["v0"].update(dtype="I32"),
        lambda head, own: head["v0"].update(data_offsets=[0, 1 << 60]),
    ],
)
def test_a_damaged_head_is_refused(tmp_path, change):
    path = tmp_path / "c"
    build().save_checkpoint(path)
    damaged(path, lambda head, own: None)
    assert build().load_checkpoint(path) == 0  # rewriting as such does no harm
    damaged(path, change)
    model = build()
    model.training_graph()  # which makes the optimizer's state
    before = state(model)
    with pytest.raises(FormatError):
        model.load_checkpoint(path)
    assert state(model) == before


def test_no_changed_byte_goes_unnoticed(tmp_path):
    path = tmp_path / "c"
    build().save_checkpoint(path)
    content = path.read_bytes()
    model = build()
    model.training_graph()
    before = state(model)
    places = np.random.RandomState(0).randint(0, len(content), 150)
    for place in [*places, 8, len(content) - 1]:
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        with pytest.raises(FormatError):
            model.load_checkpoint(path)
    assert state(model) == before


def test_exchanged_arrays_are_refused_by_name(tmp_path):
    path = tmp_path / "c"
    build().save_checkpoint(path)

    def exchange(head, own):
        head["v2"]["data_offsets"], head["v3"]["data_offsets"] = head["v3"]["data_offsets"], head["v2"]["data_offsets"]

    damaged(path, exchange)
    with pytest.raises(FormatError, match=r"damaged: the value of batch_normalization_\d+/gamma"):
        build().load_checkpoint(path)


def named(*names):
    kbackend.set_seed(1)
    x = h = Input((3,))
    for name in names:
        h = layers.Dense(3, name=name)(h)
    model = Model(x, h)
    model.compile("sgd", "mse")
    return model


def test_layers_of_the_same_shapes_and_other_names_are_refused(tmp_path):
    named("a", "b").save_checkpoint(tmp_path / "c")
    with pytest.raises(FormatError, match=r"another model: where the model has b/kernel \[.*\], it has a/kernel \["):
        named("b", "a").load_checkpoint(tmp_path / "c")
    with pytest.raises(FormatError, match=r"first apart: b/kernel \[3, 3\] in the checkpoint, "):
        named("a").load_checkpoint(tmp_path / "c")


def test_numbers_of_automatic_names_may_differ(tmp_path):
    named(None, None).save_checkpoint(tmp_path / "c")
    named(None)
    other = named(None, None)
    other.load_checkpoint(tmp_path / "c")
    with pytest.raises(FormatError, match="where the model has"):
        named("dense_x", None).load_checkpoint(tmp_path / "c")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_temporary_file_of_a_killed_writer_is_removed_by_a_later_write(tmp_path):
    path = tmp_path / "c"
    child = os.fork()
    if child == 0:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(path, b"half")
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    (left,) = tmp_path.iterdir()
    write_atomically(path, b"first")
    assert left.exists()  # it may be the file of a writer that is at work
    os.utime(left, (0, 0))
    with open(left, "rb") as writer:
        fcntl.flock(writer.fileno(), fcntl.LOCK_EX)
        write_atomically(path, b"second")
        assert left.exists()
    write_atomically(path, b"third")
    assert [p.name for p in tmp_path.iterdir()] == ["c"] and path.read_bytes() == b"third"


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 64, b"PK\x03\x04 not a checkpoint"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(FormatError, match="no checkpoint"):
        build().load_checkpoint(tmp_path / "c")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        build().load_checkpoint(tmp_path / "c")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "c"
    build().save_checkpoint(path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        build(units=4).save_checkpoint(path)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_a_model_that_is_not_compiled_has_no_training_state(tmp_path):
    x = Input((3,))
    with pytest.raises(RuntimeError, match="compile"):
        Model(x, layers.Dense(1)(x)).save_checkpoint(tmp_path / "c")


class Holds(layers.Layer):
    """A weight of a dtype beside what goes through."""

    def __init__(self, kind, **options):
        super().__init__(**options)
        self.kind = kind

    def build(self, input_shape):
        self.held = self.add_weight("held", (2, 3), dtype=self.kind, initializer="zeros", trainable=False)

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("dtype", ["bfloat16", "bool", "complex128", "int64"])
def test_weights_of_every_dtype_keep_their_bits(tmp_path, dtype):
    def holding():
        x = Input((3,))
        model = Model(x, layers.Dense(1)(Holds(dtype)(x)))
        model.compile("sgd", "mse")
        return model, model.layers[1].held

    (model, held), (other, read) = holding(), holding()
    K.set_value(held, (np.arange(6).reshape(2, 3) / 2).astype(kbackend.dtypes.numpy_dtype(dtype)))
    model.save_checkpoint(tmp_path / "c")
    other.load_checkpoint(tmp_path / "c")
    assert K.get_value(read).any() and K.get_value(read).tobytes() == K.get_value(held).tobytes()
