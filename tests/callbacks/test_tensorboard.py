"""What the package tensorboard reads of a training."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, optimizers
from kbackend.callbacks import TensorBoard

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

X = np.arange(12, dtype="float32").reshape(6, 2) / 12
Y = X[:, :1]


def made():
    x = Input((2,), name="x")
    h = layers.Dense(3, name="hidden")(x)
    model = Model(x, layers.Dense(1, name="out")(K.tanh(h)))
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def read(folder):
    found = accumulators.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    found.Reload()
    return found


def scalars(folder):
    found = read(folder)
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_values_of_epochs_and_batches(each_backend, tmp_path):
    model = made()
    board = TensorBoard(tmp_path, update_freq=2, write_steps_per_second=True)
    options = {"epochs": 2, "batch_size": 2, "verbose": 0, "validation_data": (X, Y), "shuffle": False}
    history = model.fit(X, Y, callbacks=[board], **options).history
    train, held_out = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    for tag, name in (("epoch_loss", "loss"), ("epoch_mae", "mae")):
        np.testing.assert_allclose(train[tag], list(enumerate(history[name])), rtol=1e-6)
        np.testing.assert_allclose(held_out[tag], list(enumerate(history[f"val_{name}"])), rtol=1e-6)
        steps = [(3, history[f"val_{name}"][0]), (6, history[f"val_{name}"][1])]
        np.testing.assert_allclose(held_out[f"evaluation_{name}_vs_iterations"], steps, rtol=1e-6)
    assert not [tag for tag in (*train, *held_out) if "val_" in tag]
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6]
    assert train["batch_loss"][2][1] == pytest.approx(history["loss"][1], rel=1e-6)
    assert [v for _, v in train["epoch_learning_rate"]] == pytest.approx([0.1, 0.1])
    assert all(v > 0 for tag in ("epoch", "batch") for _, v in train[f"{tag}_steps_per_second"])


def test_weights_and_graph(tmp_path):
    model = made()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=2, write_images=True)])
    found = read(tmp_path / "train")
    assert {"hidden/kernel/histogram", "out/bias/histogram"} <= set(found.Tags()["histograms"])
    first, last = found.Histograms("hidden/kernel/histogram")
    kernel = model.get_weights()[0]
    numbers = last.histogram_value
    assert (first.step, last.step) == (0, 2)
    assert (numbers.num, numbers.min, numbers.max) == (6, kernel.min(), kernel.max())
    assert numbers.sum == pytest.approx(kernel.sum()) and sum(numbers.bucket) == 6
    image = found.Images("hidden/kernel/image")[0]
    assert (image.width, image.height) == (3, 2) and image.encoded_image_string.startswith(b"\x89PNG")
    nodes = {node.name: (node.op, list(node.input)) for node in found.Graph().node}
    assert nodes["x"] == ("Input", []) and nodes["hidden"] == ("Dense", ["x"])
    assert [(op, inputs) for op, inputs in nodes.values() if op == "tanh"] == [("tanh", ["hidden"])]
    assert nodes["out"][1] == [name for name, (op, _) in nodes.items() if op == "tanh"]


def test_embeddings_for_the_projector(tmp_path):
    x = Input((3,), dtype="int32")
    model = Model(x, layers.Dense(1)(layers.Flatten()(layers.Embedding(5, 2, name="words")(x))))
    model.compile("sgd", "mse")
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "labels.tsv"}, write_graph=False)
    model.fit(np.ones((4, 3), "int32"), np.ones((4, 1)), verbose=0, callbacks=[board])
    rows = np.loadtxt(tmp_path / "train" / "words.tsv")
    np.testing.assert_allclose(rows, model.get_weights()[0])
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    text = (tmp_path / "train" / "projector_config.pbtxt").read_text()
    (entry,) = text_format.Parse(text, projector_config_pb2.ProjectorConfig()).embeddings
    assert (entry.tensor_path, entry.metadata_path) == ("words.tsv", "labels.tsv")
    with pytest.raises(ValueError, match="no Embedding layers"):
        made().fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path, embeddings_freq=1)])


def test_evaluation_alone(tmp_path):
    model = made()
    value = model.evaluate(X, Y, callbacks=[TensorBoard(tmp_path)])[0]
    assert scalars(tmp_path / "validation")["evaluation_loss_vs_iterations"] == [(0, pytest.approx(value))]


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(NotImplementedError, match="model.profile"):
        TensorBoard(tmp_path, profile_batch=2)
    for wrong in ("often", 0, True):
        with pytest.raises(ValueError, match="TensorBoard: update_freq must be 'epoch', 'batch' or a positive"):
            TensorBoard(tmp_path, update_freq=wrong)
    with pytest.raises(TypeError, match=r"TensorBoard\(\) got the unknown argument 'freq'"):
        TensorBoard(tmp_path, freq=1)
    with pytest.warns(DeprecationWarning, match="write_grads") as told:
        TensorBoard(tmp_path, write_grads=True)
    assert told[0].filename == __file__
    assert not list(tmp_path.iterdir())
