"""Models in the formats of engines, read again by their own runtimes."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers
from kbackend.ops import erf
from kbackend.saving import ExportError

pytestmark = pytest.mark.usefixtures("fresh_session")

DRAWS = np.random.RandomState(0)


def convnet():
    x = Input((8, 8, 1), name="image")
    h = layers.Conv2D(4, 3, padding="same", strides=2, activation="relu")(x)
    h = layers.MaxPooling2D()(layers.BatchNormalization()(h))
    return Model(x, layers.Dense(3, activation="softmax")(layers.Flatten()(h))), [DRAWS.rand(5, 8, 8, 1)]


def sequence():
    """Integers of any length, attention, and two outputs."""
    x, y = Input((None,), dtype="int32", name="words"), Input((3,), name="facts")
    h = layers.Embedding(9, 4)(x)
    h = layers.MultiHeadAttention(2, 3)(h, h)
    h = layers.LayerNormalization()(h)
    h = layers.concatenate([layers.GlobalAveragePooling1D()(layers.Conv1D(5, 2, padding="same")(h)), y])
    values = [DRAWS.randint(1, 9, (4, 7)).astype(np.int32), DRAWS.rand(4, 3)]
    return Model([x, y], [layers.Dense(2, activation="tanh")(h), K.sum(h, axis=-1)]), values


def recurrent():
    x = Input((7, 3), name="x")
    h = layers.Bidirectional(layers.GRU(5, return_sequences=True))(x)
    return Model(x, layers.LSTM(4)(h)), [DRAWS.rand(4, 7, 3)]


def unit():
    """Layers in series, one of them twice, with an operation between."""
    x = Input((6,), name="x")
    dense = layers.Dense(6, activation="elu")
    h = dense(dense(x)) * 2 + x
    return Model(x, layers.Softmax()(layers.Dropout(0.5)(h))), [DRAWS.rand(3, 6)]


def by_torch(path, names, values):
    import torch

    found = torch.export.load(path).module()(*map(torch.as_tensor, values))
    return [t.detach().numpy() for t in (found if isinstance(found, (list, tuple)) else [found])]


def by_onnxruntime(path, names, values):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return runtime.InferenceSession(path).run(None, dict(zip(names, values)))


def by_saved_model(path, names, values):
    import tensorflow as tf

    found = tf.saved_model.load(path).signatures["serving_default"](**dict(zip(names, map(tf.constant, values))))
    return [found[f"output_{i}"].numpy() for i in range(1, len(found) + 1)]


def by_tflite(path, names, values):
    import tensorflow as tf

    with pytest.warns(UserWarning, match="deprecated"):
        runner = tf.lite.Interpreter(path).get_signature_runner()
    found = runner(**dict(zip(names, values)))
    return [found[f"output_{i}"] for i in range(1, len(found) + 1)]


RUNTIMES = {
    "torch_export": ("torch", by_torch),
    "onnx": ("torch", by_onnxruntime),
    "tf_saved_model": ("tensorflow", by_saved_model),
    "tflite": ("tensorflow", by_tflite),
}
each_format = pytest.mark.parametrize(
    "format", [pytest.param(name, marks=pytest.mark.engine(engine)) for name, (engine, _) in RUNTIMES.items()]
)


def needs(format):
    if format == "onnx":
        for name in ("onnx", "onnxscript"):
            pytest.importorskip(name, reason=f"{name} is not installed")


@each_format
@pytest.mark.parametrize("make", [convnet, sequence, recurrent, unit])
def test_its_own_runtime_gives_the_predictions(make, format, tmp_path):
    needs(format)
    model, values = make()
    engine, run = RUNTIMES[format]
    model.to(engine)
    path = str(tmp_path / f"model.{format}")
    model.export(path, format=format)
    values = [v.astype(np.float32) if v.dtype == np.float64 else v for v in values]
    for count in (1, len(values[0])):  # the size of the batch is open
        batch = [v[:count] for v in values]
        predicted = model.predict(batch)
        wanted = predicted if isinstance(predicted, list) else [predicted]
        found = run(path, model.input_names, batch)
        assert len(found) == len(wanted)
        for got, right in zip(found, wanted):
            np.testing.assert_allclose(got, right, 1e-4, 1e-6)


@pytest.mark.engine("torch")
def test_onnx_names_its_opset_and_the_batch(tmp_path):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    model, _ = sequence()
    model.export(tmp_path / "model.onnx", format="onnx", engine="torch")
    made = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(made)
    assert {o.domain: o.version for o in made.opset_import}[""] == 20
    dims = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in (*made.graph.input, *made.graph.output)}
    assert dims == {"words": ["batch", "words_1"], "facts": ["batch", 3], "output_1": ["batch", 2],
                    "output_2": ["batch"]}


@pytest.mark.engine("torch")
def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    pytest.importorskip("onnx", reason="onnx is not installed")
    with pytest.raises(ImportError, match=r"writing ONNX needs the package onnxscript: pip install 'kbackend\[export"):
        unit()[0].export(tmp_path / "model.onnx", format="onnx", engine="torch")
    assert not list(tmp_path.iterdir())


@pytest.mark.engine("torch")
def test_a_format_of_another_engine_is_refused(tmp_path):
    with pytest.raises(ExportError, match="numpy has no format 'torch_export'; give engine='torch'"):
        unit()[0].export(tmp_path / "model", format="torch_export", engine="numpy")


@pytest.mark.engine("torch")
def test_the_only_engine_with_a_format_is_taken(tmp_path):
    model, values = unit()
    model.to("numpy").export(tmp_path / "model", format="torch_export")
    found = by_torch(str(tmp_path / "model"), ["x"], [v.astype(np.float32) for v in values])
    np.testing.assert_allclose(found[0], model.predict(values), 1e-5)
    assert model.engine == "numpy:cpu"


def stateful():
    return Sequential([layers.LSTM(4, stateful=True, batch_input_shape=(2, 3, 5))])


@pytest.mark.parametrize("format", [
    pytest.param("onnx", marks=pytest.mark.engine("torch")),
    pytest.param("tflite", marks=pytest.mark.engine("tensorflow")),
])  # fmt: skip
def test_states_are_refused_where_a_format_has_none(format, tmp_path):
    needs(format)
    with pytest.raises(ExportError, match="keeps states from batch to batch"):
        stateful().export(tmp_path / "model", format=format)


@pytest.mark.parametrize("format", [
    pytest.param("torch_export", marks=pytest.mark.engine("torch")),
    pytest.param("tf_saved_model", marks=pytest.mark.engine("tensorflow")),
])  # fmt: skip
def test_states_go_on_in_formats_that_have_them(format, tmp_path):
    model = stateful()
    engine, _ = RUNTIMES[format]
    model.to(engine)
    path = str(tmp_path / "model")
    model.export(path, format=format)
    values = DRAWS.rand(2, 3, 5).astype(np.float32)
    if engine == "torch":
        import torch

        run = torch.export.load(path).module()
        found = [run(torch.as_tensor(values)).detach().numpy() for _ in range(2)]
    else:
        import tensorflow as tf

        run = tf.saved_model.load(path)
        found = [run(tf.constant(values)).numpy() for _ in range(2)]
    wanted = [model.predict(values, batch_size=2) for _ in range(2)]
    np.testing.assert_allclose(found, wanted, 1e-5, 1e-6)


@pytest.mark.engine("torch")
def test_what_torch_cannot_trace_names_the_layer(tmp_path):
    x = Input((3,), name="x")
    counted = K.while_loop(lambda n, h: K.sum(h) < 100.0, lambda n, h: (n + 1, h * 2 + 1), [K.constant(0), x])[1]
    model = Model(x, layers.Dense(2, name="after")(counted))
    with pytest.raises(ExportError, match="torch.export cannot trace.*in the line '.*while_loop"):
        model.export(tmp_path / "model", format="torch_export", engine="torch")


@pytest.mark.engine("torch")
def test_a_size_that_torch_fixes_is_named(tmp_path):
    x = Input((None, 3), name="words")
    model = Model(x, K.reshape(x, (-1, 15)))
    with pytest.raises(ExportError, match="dimension 1 of 'words'.*must be known"):
        model.export(tmp_path / "model", format="torch_export", engine="torch")


def any_length():
    """The three layers with kernels of their own, and loops of steps: one with masks, backwards and with parts of one
    weight, one without states."""
    x, ids = Input((None, 3), name="x"), Input((None,), dtype="int32", name="ids")
    h = layers.GRU(2, return_sequences=True)(layers.SimpleRNN(3, return_sequences=True, use_bias=False)(x))
    last = layers.LSTM(2, return_state=True, go_backwards=True)(h)
    masked = layers.GRU(2, go_backwards=True, reset_after=False)(layers.Embedding(9, 3, mask_zero=True)(ids))
    rows = K.map_fn(K.sum, K.permute_dimensions(h, (1, 0, 2)))
    return Model([x, ids], [*last, masked, K.sum(rows)])


@pytest.mark.engine("torch")
def test_loops_of_unknown_length_leave_by_torch(tmp_path):
    model = any_length().to("torch")
    formats = ["torch_export", *(["onnx"] if all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))) else [])]
    for format in formats:
        model.export(str(tmp_path / format), format=format)
    for batch, steps in ((1, 1), (2, 7)):
        ids = DRAWS.randint(1, 9, (batch, steps)).astype(np.int32)
        ids[:, steps // 2 + 1 :] = 0
        values = [DRAWS.rand(batch, steps, 3).astype(np.float32), ids]
        wanted = model.predict(values)
        for format in formats:
            found = RUNTIMES[format][1](str(tmp_path / format), model.input_names, values)
            for got, right in zip(found, wanted, strict=True):
                np.testing.assert_allclose(got, right, 1e-4, 1e-6)


@pytest.mark.engine("tensorflow")
def test_a_loop_of_unknown_length_names_its_layer(tmp_path):
    x = Input((None, 3), name="words")
    model = Model(x, layers.GRU(4, name="reader")(x))
    with pytest.raises(ExportError, match="no loop whose number of steps .*failed in the line '_?reader_"):
        model.export(tmp_path / "model", format="tflite", engine="tensorflow")
    model.export(tmp_path / "model", format="tf_saved_model", engine="tensorflow")
    values = DRAWS.rand(2, 7, 3).astype(np.float32)
    found = by_saved_model(str(tmp_path / "model"), ["words"], [values])
    np.testing.assert_allclose(found[0], model.predict(values), 1e-5, 1e-6)


@pytest.mark.engine("tensorflow")
def test_an_operation_that_tensorflow_lite_lacks_is_named(tmp_path):
    x = Input((3,))
    model = Model(x, erf(layers.Dense(2)(x)))
    with pytest.raises(ExportError, match="TensorFlow Lite cannot hold .*lacks Erf"):
        model.export(tmp_path / "model", format="tflite", engine="tensorflow")
    assert not list(tmp_path.iterdir())
