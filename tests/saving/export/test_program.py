"""A model as one program: its text, its sizes, its weights, and what cannot be written."""

from __future__ import annotations

import ast
import importlib.util
import re

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers
from kbackend.saving import ExportError

pytestmark = pytest.mark.usefixtures("fresh_session")


def convnet() -> Model:
    image = Input((6, 6, 1), name="image")
    h = layers.Conv2D(4, 3, padding="same", activation="relu", name="features")(image)
    h = layers.MaxPooling2D()(layers.BatchNormalization(name="norm")(h))
    return Model(image, layers.Dense(3, activation="softmax", name="head")(layers.Flatten()(h)), name="digits")


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exported(model, folder, **options):
    model.export(folder / "model.py", **options)
    return loaded(folder / "model.py")


def definition(path, name):
    """The function of a name in a file, with the text of its lines."""
    text = path.read_text()
    node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return node, text.splitlines()[node.lineno - 1 : node.end_lineno]


def made_in(function):
    """The names that a function assigns, in order."""
    return [n.id for s in function.body if isinstance(s, ast.Assign) for n in ast.walk(s.targets[0])
            if isinstance(n, ast.Name)]


def test_the_text_is_that_of_source_with_shapes(each_backend, tmp_path):
    model = convnet()
    exported(model, tmp_path)
    shown = ast.parse(model.source()).body[-1]
    written, lines = definition(tmp_path / "model.py", "digits_predict")
    assert made_in(written) == made_in(shown)
    assert any(re.search(r"features_convolution_\d+ = .*# float32\[\?, 6, 6, 4\]", line) or
               "# float32[?, 6, 6, 4]" in line for line in lines)
    assert sum("# float32[" in line for line in lines) == len(written.body) - 2 - sum(
        isinstance(s, ast.Delete) for s in written.body)  # without the weights and the result


def test_a_program_needs_no_more_than_its_engine(each_backend, tmp_path):
    exported(convnet(), tmp_path)
    tree = ast.parse((tmp_path / "model.py").read_text())
    roots = {a.name.partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    roots |= {n.module.partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    allowed = {"numpy": {"numpy"}, "torch": {"torch"}, "tensorflow": {"tensorflow", "numpy"}}[each_backend]
    assert roots <= allowed | {"safetensors", "pathlib", "math", "typing", "contextlib", "functools"}, roots


def test_writing_again_gives_the_same_text(each_backend, tmp_path):
    model = convnet()
    model.export(tmp_path / "one.py")
    model.export(tmp_path / "two.py")
    assert (tmp_path / "one.py").read_text() == (tmp_path / "two.py").read_text()
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_any_size_of_batch(batch, each_backend, tmp_path):
    model = convnet()
    images = np.random.RandomState(0).rand(batch, 6, 6, 1).astype(np.float32)
    found = exported(model, tmp_path).load().predict(images)
    np.testing.assert_allclose(np.asarray(found), model.predict(images), 1e-5, 1e-6)


def test_inputs_by_place_or_name_and_several_outputs(each_backend, tmp_path):
    a, b = Input((3,), name="a"), Input((None, 3), name="b")
    h = layers.GRU(4)(b)
    model = Model([a, b], [layers.Dense(2)(a) + 1.0, layers.concatenate([a, h])])
    values = {"a": np.ones((2, 3), np.float32), "b": np.arange(30, dtype=np.float32).reshape(2, 5, 3)}
    program = exported(model, tmp_path).load()
    wanted = model.predict([values["a"], values["b"]])
    for found in (program.predict(values), program.predict([values["a"], values["b"]])):
        assert len(found) == 2
        for got, right in zip(found, wanted):
            np.testing.assert_allclose(np.asarray(got), right, 1e-5, 1e-6)
    with pytest.raises(ValueError):
        program.predict([values["a"]])


def test_states_go_on_from_batch_to_batch(each_backend, tmp_path):
    x = Input(batch_shape=(2, 3, 4))
    model = Model(x, layers.LSTM(5, stateful=True)(x))
    values = np.random.RandomState(1).rand(2, 3, 4).astype(np.float32)
    program = exported(model, tmp_path).load()
    for _ in range(3):
        found = np.asarray(program.predict(values))
        np.testing.assert_allclose(found, model.predict(values, batch_size=2), 1e-5, 1e-6)


def test_large_constants_are_stored_with_the_weights(each_backend, tmp_path):
    table = np.random.RandomState(2).rand(10, 12).astype(np.float32)
    x = Input((10, 12))
    model = Model(x, x + K.constant(table))
    module = exported(model, tmp_path)
    assert str(table[0, 0]) not in (tmp_path / "model.py").read_text()
    np.testing.assert_array_equal(np.asarray(module.load().predict(np.zeros((2, 10, 12)))), [table, table])


def test_numbers_that_are_not_finite(each_backend, tmp_path):
    x = Input((3,))
    model = Model(x, K.concatenate([x, x * 0 + K.constant([np.inf, -np.inf, np.nan])]))
    found = np.asarray(exported(model, tmp_path).load().predict(np.ones((1, 3))))
    np.testing.assert_array_equal(found, model.predict(np.ones((1, 3))))


def test_loops_and_branches(each_backend, tmp_path):
    x = Input((None, 3), name="x")
    total = K.rnn(lambda step, states: (step + states[0], [step + states[0]]), x, [K.zeros_like(x[:, 0])])[0]
    chosen = K.switch(K.greater(K.sum(x), 0), total, -total)
    model = Model(x, chosen)
    program = exported(model, tmp_path).load()
    for sign in (1, -1):
        values = sign * np.random.RandomState(3).rand(2, 40, 3).astype(np.float32)
        np.testing.assert_allclose(np.asarray(program.predict(values)), model.predict(values), 1e-5)


def slopes_by_kbackend(model, images):
    weights = model.trainable_weights
    loss = K.sum(K.square(model.output))
    return K.function([model.input], K.gradients(loss, weights))([images])


@pytest.mark.engine("torch")
def test_parameters_of_torch_are_named_and_trained(tmp_path):
    import torch

    model = convnet().to("torch")
    images = np.random.RandomState(0).rand(4, 6, 6, 1).astype(np.float32)
    module = exported(model, tmp_path).load()
    names = [w.name.replace("/", "_") for w in model.trainable_weights]
    assert [name for name, _ in module.named_parameters()] == names
    assert isinstance(module, torch.nn.Module)
    assert {n for n, _ in module.named_buffers()} == {"norm_moving_mean", "norm_moving_variance"}
    module(torch.tensor(images)).square().sum().backward()
    with kbackend.use_backend("torch"):
        slopes = slopes_by_kbackend(model, images)
    for (name, parameter), slope in zip(module.named_parameters(), slopes):
        np.testing.assert_allclose(parameter.grad.numpy(), slope, 1e-4, 1e-6, err_msg=name)
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.nll_loss(torch.log(module(torch.tensor(images))), torch.tensor([0, 1, 2, 0]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.engine("tensorflow")
def test_variables_of_tensorflow_are_named_and_trained(tmp_path):
    import tensorflow as tf

    model = convnet().to("tensorflow")
    images = np.random.RandomState(0).rand(4, 6, 6, 1).astype(np.float32)
    module = exported(model, tmp_path).load()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(module(tf.constant(images))))
    names = [w.name.replace("/", "_") for w in model.trainable_weights]
    variables = {v.name.partition(":")[0]: v for v in module.trainable_variables}
    assert sorted(variables) == sorted(names)
    with kbackend.use_backend("tensorflow"):
        slopes = slopes_by_kbackend(model, images)
    found = tape.gradient(loss, [variables[name] for name in names])
    for name, got, right in zip(names, found, slopes):
        np.testing.assert_allclose(got.numpy(), right, 1e-4, 1e-6, err_msg=name)


# what cannot be written -------------------------------------------------------------------------------------


def test_random_draws_are_refused_with_the_layer(each_backend, tmp_path):
    x = Input((3,))
    model = Model(x, layers.Lambda(lambda t: t + K.random_normal((3,)), name="noisy")(x))
    with pytest.raises(ExportError, match="noisy.*random numbers"):
        model.export(tmp_path / "model.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.engine("torch")
def test_a_function_of_the_user_is_refused_with_the_layer(tmp_path):
    import torch

    def doubled(t):
        return torch.sigmoid(t) * 2

    x = Input((3,))
    model = Model(x, layers.Lambda(doubled, name="own")(x)).to("torch")
    with pytest.raises(ExportError, match="'own'.*Python function .*doubled"):
        model.export(tmp_path / "model.py")
    engines_own = Model(x, layers.Lambda(torch.sigmoid)(x)).to("torch")
    values = np.ones((2, 3), np.float32)
    found = exported(engines_own, tmp_path).load().predict(values)
    np.testing.assert_allclose(found.numpy(), engines_own.predict(values), 1e-6)


def gradient_model():
    x = Input((3,), name="x")
    y = layers.Dense(2, activation="tanh", name="inner")(x)
    return Model(x, K.gradients(K.sum(y), [x])[0])


@pytest.mark.engine("torch")
def test_gradients_inside_a_model_on_torch(tmp_path):
    model = gradient_model().to("torch")
    values = np.random.RandomState(0).rand(4, 3).astype(np.float32)
    found = exported(model, tmp_path).load().predict(values)
    np.testing.assert_allclose(found.numpy(), model.predict(values), 1e-5)


def test_gradients_inside_a_model_on_numpy_are_refused(tmp_path):
    with pytest.raises(ExportError, match="gradient in prediction.*autograd"):
        gradient_model().export(tmp_path / "model.py", engine="numpy")


def test_a_path_that_is_no_program(tmp_path):
    model = Sequential([layers.Dense(1, input_shape=(2,))])
    with pytest.raises(ExportError, match="needs a format"):
        model.export(tmp_path / "model")
    with pytest.raises(ExportError, match="Python can import"):
        model.export(tmp_path / "my-model.py")
    with pytest.raises(ExportError, match="unknown format 'caffe'"):
        model.export(tmp_path / "m", format="caffe")
    model.export(tmp_path / "model.py", engine="numpy")
    with pytest.raises(FileExistsError):
        model.export(tmp_path / "model.py", engine="numpy", overwrite=False)


def test_a_model_without_inputs_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="its input's shape"):
        Sequential([layers.Dense(1)]).export(tmp_path / "model.py")


@pytest.mark.engine("torch")
def test_kernels_that_torch_compile_leaves_out_are_written(tmp_path, monkeypatch):
    from kbackend_torch.kernels.rnn import recurrent

    monkeypatch.setattr(recurrent, "_called", dict(recurrent.FUSED))
    recurrent.leave_uncompiled()
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    with kbackend.use_backend("torch"):
        model = Sequential([Input((5, 3)), layers.LSTM(4)])
        found = exported(model, tmp_path).load().predict(x)
        np.testing.assert_allclose(found.detach().numpy(), model.predict(x), rtol=1e-6)
