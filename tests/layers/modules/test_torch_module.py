"""Modules of torch as layers."""

import copy
import pickle

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers, optimizers
from kbackend.models import load_model
from kbackend.plugin.gaps import MissingKernel
from kbackend.saving import FormatError

pytestmark = pytest.mark.engine("torch")
torch = pytest.importorskip("torch")
nn = torch.nn

X = np.random.RandomState(0).randn(16, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def _on_torch():
    K.clear_session()
    kbackend.set_seed(7)
    torch.manual_seed(7)
    with kbackend.use_backend("torch"):
        yield


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(4, width), nn.BatchNorm1d(width), nn.Linear(width, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.norm(self.first(x))))


def wrapped(module, *shapes, **kwargs):
    """A model of a layer of the module."""
    inputs = [Input(shape) for shape in shapes or [(4,)]]
    return Model(inputs, layers.TorchModule(module, name="net", **kwargs)(inputs if len(inputs) > 1 else inputs[0]))


def by_torch(module, x, training=False):
    with torch.no_grad():
        return module.train(training)(torch.from_numpy(x)).numpy()


# ------------------------------------------------------------------------------------- weights and shapes


def test_parameters_and_buffers_are_weights_with_names_flags_and_dtypes():
    module = Net()
    module.first.bias.requires_grad_(False)
    module.register_buffer("cache", torch.ones(2), persistent=False)
    layer = wrapped(module).get_layer("net")
    assert [(w.name, w.shape, w.dtype) for w in layer.trainable_weights] == [
        ("net/first.weight", (8, 4), "float32"), ("net/norm.weight", (8,), "float32"),
        ("net/norm.bias", (8,), "float32"), ("net/last.weight", (3, 8), "float32"), ("net/last.bias", (3,), "float32"),
    ]  # fmt: skip
    assert [(w.name, w.dtype) for w in layer.non_trainable_weights] == [
        ("net/first.bias", "float32"), ("net/norm.running_mean", "float32"), ("net/norm.running_var", "float32"),
        ("net/norm.num_batches_tracked", "int64"),
    ]  # fmt: skip
    for weight in layer.weights:
        held = module.state_dict()[weight.name.removeprefix("net/")]
        np.testing.assert_array_equal(weight.numpy(), held.numpy())


def test_weights_are_in_the_memory_of_the_module_both_ways():
    module = Net()
    model = wrapped(module)
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], epochs=2, verbose=0)
    layer = model.get_layer("net")
    for name, held in module.state_dict().items():
        (weight,) = [w for w in layer.weights if w.name == f"net/{name}"]
        np.testing.assert_array_equal(weight.numpy(), held.numpy())
    with torch.no_grad():
        module.last.bias.fill_(5.0)
    np.testing.assert_array_equal(model.predict(X), by_torch(module, X))
    layer.set_weights([np.full_like(w, 0.5) for w in layer.get_weights()])
    assert float(module.first.weight.detach()[0, 0]) == 0.5


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad", "nadam"])
def test_every_kind_of_optimizer_writes_into_the_module(optimizer):
    module = nn.Linear(4, 1)
    model = wrapped(module)
    before = module.weight.detach().clone()
    model.compile(optimizer, "mse")
    model.train_on_batch(X, Y)
    assert not torch.equal(before, module.weight)
    np.testing.assert_array_equal(module.weight.detach().numpy(), model.get_weights()[0])


def test_shapes_are_inferred_without_a_call_and_unknown_sizes_stay_unknown():
    called = []

    class Counting(nn.Module):
        def forward(self, x):
            called.append(type(x).__name__)
            return x.transpose(1, 2).reshape(x.shape[0], -1, 2), x.sum(dim=1)

    x = Input((None, 6))
    first, second = layers.TorchModule(Counting())(x)
    assert (first.shape, second.shape) == ((None, None, 2), (None, 6))
    assert set(called) == {"FakeTensor"}
    assert layers.TorchModule(nn.Conv2d(3, 5, 3)).compute_output_shape((None, 3, 9, 7)) == (None, 5, 7, 5)


def test_weights_made_at_the_first_call():
    module = nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.LazyLinear(2))
    model = wrapped(module)
    assert [w.shape for w in model.weights] == [(5, 4), (5,), (2, 5), (2,)] and module.training
    np.testing.assert_array_equal(model.predict(X), by_torch(module, X))


def test_tied_parameters_are_one_weight():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.into, self.out = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
            self.out.weight = self.into.weight

        def forward(self, x):
            return self.out(torch.relu(self.into(x)))

    module = Tied()
    model = wrapped(module)
    assert [w.name for w in model.weights] == ["net/into.weight"]
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)
    assert module.out.weight is module.into.weight
    np.testing.assert_array_equal(model.predict(X), by_torch(module, X))


# ------------------------------------------------------------------------------------- values and gradients


def test_values_and_gradients_are_those_of_numpy():
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    x = Input((4,), dtype="float64")
    out = layers.TorchModule(module)(x)
    loss = K.sum(K.square(out))
    weights = Model(x, out).weights
    found = K.function([x], [out, *K.gradients(loss, [x, *weights])])([X.astype("float64")])
    a, b, c, d = (w.numpy() for w in weights)
    h = np.tanh(X @ a.T + b)
    y = h @ c.T + d
    of_h = (2 * y @ c) * (1 - h * h)
    wanted = [y, of_h @ a, of_h.T @ X, of_h.sum(0), 2 * y.T @ h, 2 * y.sum(0)]
    for value, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-10, atol=1e-12)


def test_gradients_of_gradients():
    x = Input((4,), dtype="float64")
    layer = layers.TorchModule(nn.Sequential(nn.Linear(4, 1, bias=False), nn.Tanh()).double())
    out = layer(x)
    (slope,) = K.gradients(K.sum(out), [x])
    (found,) = K.function([x], K.gradients(K.sum(K.square(slope)), [layer.weights[0]]))([X.astype("float64")])
    w = layer.weights[0].numpy()
    t = np.tanh(X @ w.T)
    s = 1 - t * t
    wanted = (2 * s**2).sum() * w + ((2 * s * -2 * t * s) * (w @ w.T)).T @ X
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_several_inputs_by_position_and_by_keyword_and_results_in_any_structure():
    class Two(nn.Module):
        def forward(self, a, b):
            return {"sum": a + b, "parts": (a - b, a * b)}

    a, b = Input((4,)), Input((4,))
    by_place, by_name = layers.TorchModule(Two())([a, b]), layers.TorchModule(Two())({"b": b, "a": a})
    for found in (by_place, by_name):
        model = Model([a, b], [found["sum"], *found["parts"]])
        for value, wanted in zip(model.predict([X, 2 * X]), (3 * X, -X, 2 * X * X)):
            np.testing.assert_allclose(value, wanted, rtol=1e-6)


def test_a_module_that_returns_its_input_gives_no_memory_away():
    x = Input((4,))
    f = K.function([x], [layers.TorchModule(nn.Identity())(x)])
    data = torch.ones(2, 4)
    (found,) = f([data], as_numpy=False)
    found.add_(1.0)
    assert float(data.max()) == 1.0


# ------------------------------------------------------------------------------------- phases


def test_training_uses_batches_and_moves_the_statistics_and_tests_do_neither():
    module, twin = Net(), Net()
    twin.load_state_dict(module.state_dict())
    model = wrapped(module)
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(X), by_torch(twin, X))
    assert int(module.norm.num_batches_tracked) == 0
    f = K.function([model.input, K.learning_phase()], [model.output])
    np.testing.assert_array_equal(f([X, 1])[0], by_torch(twin, X, training=True))
    assert int(module.norm.num_batches_tracked) == 0, "a function without the updates changes nothing"
    model.train_on_batch(X, X[:, :3])
    assert int(module.norm.num_batches_tracked) == 1
    np.testing.assert_allclose(module.norm.running_mean, twin.norm.running_mean, rtol=1e-5)


def test_a_frozen_layer_rests():
    module = Net()
    layer = layers.TorchModule(module, trainable=False)
    x = Input((4,))
    model = Model(x, layers.Dense(1)(layer(x)))
    model.compile("sgd", "mse")
    before = copy.deepcopy(module.state_dict())
    model.fit(X, Y, epochs=2, verbose=0)
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert len(model.trainable_weights) == 2


def test_a_failed_step_changes_nothing():
    class Failing(nn.Module):
        fails = False

        def __init__(self):
            super().__init__()
            self.norm, self.last = nn.BatchNorm1d(4), nn.Linear(4, 1)

        def forward(self, x):
            x = self.norm(x)
            if self.fails and type(x) is torch.Tensor:  # while it runs, not while shapes are inferred
                raise RuntimeError("no step")
            return self.last(x)

    module = Failing()
    model = wrapped(module)
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    before = copy.deepcopy(module.state_dict())
    module.fails = True
    with pytest.raises(RuntimeError, match="no step"):
        model.train_on_batch(X, Y)
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())


def test_dropout_of_the_module_draws_from_torch():
    model = wrapped(nn.Dropout(0.5))
    f = K.function([model.input, K.learning_phase()], [model.output])
    torch.manual_seed(3)
    first = f([X, 1])[0]
    torch.manual_seed(3)
    np.testing.assert_array_equal(f([X, 1])[0], first)
    assert (first == 0).any() and (f([X, 0])[0] == X).all()


# ------------------------------------------------------------------------------------- in models


def test_a_module_in_a_sequential_in_a_functional_model_and_called_twice():
    layer = layers.TorchModule(Net(), name="net")
    inner = Sequential([layers.Dense(4, input_shape=(4,)), layer])
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], layers.subtract([inner(a), inner(b)]))
    assert len(model.weights) == 2 + 9
    model.compile(optimizers.Adam(0.02), "mse")
    history = model.fit([X, X[::-1]], X[:, :3] - X[::-1, :3], epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    np.testing.assert_allclose(model.predict([X, X]), 0.0, atol=1e-6)


def test_a_module_in_time_distributed():
    module = nn.Linear(4, 2)
    steps = np.stack([X, 2 * X], axis=1)
    x = Input((2, 4))
    model = Model(x, layers.TimeDistributed(layers.TorchModule(module))(x))
    np.testing.assert_allclose(model.predict(steps), by_torch(module, steps), rtol=1e-5, atol=1e-6)


def test_the_compiler_runs_a_step():
    model, plain = wrapped(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))), None
    plain = copy.deepcopy(model)
    for jit, each in ((True, model), (False, plain)):
        each.compile("sgd", "mse", jit=jit)
        for _ in range(3):
            each.train_on_batch(X, Y)
    for a, b in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("other", ["numpy", pytest.param("tensorflow", marks=pytest.mark.engine("tensorflow"))])
def test_another_engine_is_refused_by_the_name_of_the_layer_until_the_model_is_moved_back(other):
    model = wrapped(nn.Linear(4, 2))
    wanted = model.predict(X)
    model.to(other)
    with pytest.raises(MissingKernel, match=rf"layer net \(TorchModule\) holds a module of torch.* on {other}"):
        model.predict(X)
    model.get_layer("net").set_weights([2 * w for w in model.get_weights()])
    np.testing.assert_allclose(model.to("torch").predict(X), 2 * wanted, rtol=1e-6)


# ------------------------------------------------------------------------------------- files and copies


def test_files_hold_the_weights_and_the_name_of_the_class(tmp_path):
    model = wrapped(Net())
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], verbose=0)
    model.save(tmp_path / "m.kb")
    for given in ({"Net": Net}, {"Net": lambda: Net(8)}, {"net": Net(8)}):
        again = load_model(tmp_path / "m.kb", custom_objects=given)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.train_on_batch(X, X[:, :3])
    model.train_on_batch(X, X[:, :3])
    for a, b in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)
    content = (tmp_path / "m.kb").read_bytes()
    assert b"torch._utils" not in content and b'"module":"Net"' in content.replace(b'": "', b'":"')
    with pytest.raises(FormatError, match=r"'net' is a module of torch \(Net\), whose code no file holds.*custom_obj"):
        load_model(tmp_path / "m.kb")


def test_a_class_with_arguments(tmp_path):
    model = wrapped(Net, arguments={"width": 5})
    model.save(tmp_path / "m.kb")
    np.testing.assert_array_equal(load_model(tmp_path / "m.kb", {"Net": Net}).predict(X), model.predict(X))


def test_weights_files(tmp_path):
    first, second = wrapped(Net()), wrapped(Net())
    first.save_weights(tmp_path / "w.safetensors")
    second.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(second.predict(X), first.predict(X))
    module = second.get_layer("net").module
    np.testing.assert_array_equal(by_torch(module, X), first.predict(X))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_modules_of_their_own(duplicate):
    model = wrapped(Net(6))  # the copy must not need the arguments of the class
    model.compile("sgd", "mse")
    other = duplicate(model)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    other.train_on_batch(X, X[:, :3])
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])


# ------------------------------------------------------------------------------------- errors


def test_what_is_refused():
    with pytest.raises(TypeError, match=r"layer net \(TorchModule\) needs a torch.nn.Module, it was given 3"):
        layers.TorchModule(3, name="net")
    with pytest.raises(TypeError, match="arguments are those of a class"):
        layers.TorchModule(nn.Linear(1, 1), arguments={"bias": False})
    module = nn.Linear(4, 2)
    kept = layers.TorchModule(module, name="first")
    with pytest.raises(ValueError, match="the module is in the layer first already"):
        layers.TorchModule(module)
    with pytest.raises(ValueError, match=r"first \(TorchModule\) called on .*Linear failed"):
        kept(Input((5,)))
    with pytest.raises(ValueError, match="must return tensors"):
        layers.TorchModule(type("Text", (nn.Module,), {"forward": lambda self, x: "text"})())(Input((5,)))


def test_values_that_inference_does_not_have_need_an_output_shape():
    class Chosen(nn.Module):
        def forward(self, x):
            return x * 2 if float(x.sum()) > 1e9 else x + 1

    x = Input((4,))
    with pytest.raises(ValueError, match="Chosen failed on tensors without values .*give output_shape"):
        layers.TorchModule(Chosen())(x)
    out = layers.TorchModule(Chosen(), output_shape=(4,))(x)
    np.testing.assert_array_equal(Model(x, out).predict(X), X + 1)
    assert layers.TorchModule(Chosen(), output_shape=lambda s: s)(x).shape == (None, 4)


def test_the_name_and_arguments_of_keras_3(tmp_path):
    x = Input((4,))
    module = Net()
    model = Model(x, layers.TorchModuleWrapper(module, "net", (None, 3))(x))
    assert model.output_shape == (None, 3) and isinstance(model.get_layer("net"), layers.TorchModule)
    np.testing.assert_allclose(model.predict(X), by_torch(module, X), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "m.kb")
    again = load_model(tmp_path / "m.kb", custom_objects={"Net": Net})
    assert type(again.get_layer("net")) is layers.TorchModuleWrapper and again.output_shape == (None, 3)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(FormatError, match="'net' is a module of torch"):
        load_model(tmp_path / "m.kb")
    np.testing.assert_array_equal(copy.deepcopy(model).predict(X), model.predict(X))
