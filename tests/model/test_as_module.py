"""Models given to their engine as modules."""

import copy

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers, regularizers

A = np.random.RandomState(0).randn(8, 6, 4).astype("float32")
B = np.random.RandomState(1).randint(0, 10, (8, 6)).astype("int32")
TARGETS = [np.random.RandomState(n).randn(8, n).astype("float32") for n in (2, 1)]


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    kbackend.set_seed(7)


def tagger():
    """Two inputs and outputs; LSTM, dropout, batch normalization and an operation between."""
    a, b = Input((6, 4), name="a"), Input((6,), name="b", dtype="int32")
    h = layers.concatenate([a, layers.Embedding(10, 3, name="words")(b)])
    h = layers.Bidirectional(layers.LSTM(5), name="both")(h)
    h = layers.BatchNormalization(name="norm")(layers.Dropout(0.5, name="drop")(h))
    model = Model([a, b], [layers.Dense(2, name="first")(h), layers.Dense(1, name="second")(h) * 2], name="tagger")
    model.compile("sgd", ["mse", "mse"])
    return model


def worst(model, other):
    return max(float(np.abs(p - q).max()) for p, q in zip(model.get_weights(), other.get_weights()))


# ------------------------------------------------------------------------------------- torch

torch_only = pytest.mark.engine("torch")


def by_torch(outputs):
    return [t.detach().numpy() for t in outputs]


@torch_only
def test_names_parameters_and_buffers():
    module = tagger().as_torch()
    both = [f"both.{way}_lstm_1.{w}" for way in ("forward", "backward") for w in ("kernel", "recurrent_kernel", "bias")]
    trained = ["words.embeddings", *both, "norm.gamma", "norm.beta"]
    trained += [f"{layer}.{w}" for layer in ("first", "second") for w in ("kernel", "bias")]
    assert [name for name, _ in module.named_parameters()] == trained
    assert [name for name, _ in module.named_buffers()] == [
        "norm.moving_mean", "norm.moving_variance", "state.drop.dropout_step",
    ]  # fmt: skip


@torch_only
def test_a_training_loop_of_torch_makes_the_same_step_as_fit():
    import torch

    model = tagger().to("torch")
    other = copy.deepcopy(model)
    module = model.as_torch().train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    for _ in range(3):
        losses = other.train_on_batch([A, B], TARGETS)
        found = module(torch.from_numpy(A), torch.from_numpy(B))
        loss = sum(((y - torch.from_numpy(t)) ** 2).mean() for y, t in zip(found, TARGETS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        np.testing.assert_allclose(loss.item(), losses[0], rtol=1e-6)
    assert worst(model, other) < 1e-6
    by_eval = by_torch(module.eval()(torch.from_numpy(A), torch.from_numpy(B)))
    for found, wanted in zip(by_eval, other.predict([A, B])):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@torch_only
def test_fit_and_set_weights_change_the_module_and_another_engine_is_followed():
    import torch

    model = tagger()
    module = model.as_torch().eval()
    fed = (torch.from_numpy(A), torch.from_numpy(B))
    kernel = model.get_layer("first").weights[0]
    held = module.get_parameter("first.kernel")
    assert model.engine.startswith("torch")
    model.compile("adam", ["mse", "mse"])
    model.fit([A, B], TARGETS, verbose=0)
    np.testing.assert_array_equal(held.detach().numpy(), kernel.numpy())
    K.set_value(kernel, np.ones((10, 2)))
    assert float(held.detach().min()) == 1.0
    model.to("numpy").fit([A, B], TARGETS, verbose=0)
    wanted = model.predict([A, B])
    for found, value in zip(by_torch(module(*fed)), wanted):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(held.detach().numpy(), kernel.numpy())


@torch_only
def test_state_dicts_are_the_models_weights(tmp_path):
    import torch

    first, second = tagger(), tagger()
    torch.save(first.as_torch().state_dict(), tmp_path / "w.pt")
    module = second.as_torch()
    for assign in (False, True):
        second.set_weights([w + 1 for w in second.get_weights()])
        names = {k.replace("lstm_1", "lstm_2"): v for k, v in torch.load(tmp_path / "w.pt").items()}
        module.load_state_dict(names, assign=assign)
        assert worst(first, second) == 0.0


@torch_only
def test_two_modules_of_a_model_have_one_memory_and_count_draws_together():
    import torch

    model = tagger()
    first, second = model.as_torch().train(), model.as_torch().train()
    fed = (torch.from_numpy(A), torch.from_numpy(B))
    masks = [module(*fed)[0] for module in (first, second)]
    assert not torch.equal(*masks), "the second call draws the masks of the next step"
    with torch.no_grad():
        first.get_parameter("first.kernel").fill_(2.0)
    assert float(second.get_parameter("first.kernel").detach().min()) == 2.0
    assert int(second.get_buffer("state.drop.dropout_step")) == 2


@torch_only
@pytest.mark.parametrize("form", ["places", "list", "dict"])
def test_forms_of_inputs_and_outputs(form):
    import torch

    model = tagger()
    a, b = torch.from_numpy(A), torch.from_numpy(B).long()
    given = {"places": (a, b), "list": ([a, b],), "dict": ({"b": b, "a": a},)}[form]
    found = model.as_torch(named=True).eval()(*given)
    assert list(found) == model.output_names
    for value, wanted in zip(found.values(), model.predict([A, B])):
        np.testing.assert_array_equal(value.detach().numpy(), wanted)
    x = Input((3,))
    alone = Model(x, layers.Dense(2)(x)).as_torch()
    assert alone(torch.ones(4, 3)).shape == (4, 2)


@torch_only
def test_wrong_calls_are_refused():
    import torch

    module = tagger().as_torch()
    a, b = torch.from_numpy(A), torch.from_numpy(B)
    with pytest.raises(TypeError, match=r"tagger takes 2 inputs \(a, b\), it was given 1"):
        module(a)
    with pytest.raises(TypeError, match=r"tagger has the inputs \['a', 'b'\], it was given \['a', 'c'\]"):
        module({"a": a, "c": b})
    with pytest.raises(ValueError, match=r"the input 'a' has shape \(None, 6, 4\), it was given one of \(8, 4, 6\)"):
        module(a.transpose(1, 2), b)
    with pytest.raises(TypeError, match="the input 'a' must be a tensor of torch, it is ndarray"):
        module(A, b)
    with pytest.raises(TypeError, match="the input 'b' is int32, it was given float32"):
        module(a, b.float())
    with pytest.raises(TypeError, match="the weights of a model keep their dtype"):
        module.half()


@torch_only
def test_the_compiler_does_not_compile_again_at_each_step():
    import torch

    module = tagger().as_torch()
    fed = (torch.from_numpy(A), torch.from_numpy(B))
    compiled = torch.compile(module)
    for phase in (False, True):
        module.train(phase)
        twin = copy.deepcopy(module)
        made = []
        for _ in range(4):
            torch.manual_seed(0)
            for value, wanted in zip(compiled(*fed), twin(*fed)):
                np.testing.assert_allclose(value.detach(), wanted.detach(), rtol=1e-4, atol=1e-5)
            made.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        assert made[1] == made[3] or made[2] == made[3]


@torch_only
def test_export_of_the_test_phase_for_any_batch():
    import torch

    module = tagger().as_torch().eval()
    fed = (torch.from_numpy(A), torch.from_numpy(B))
    batch = {0: torch.export.Dim("batch")}
    with torch.no_grad():
        exported = torch.export.export(module, fed, dynamic_shapes={"inputs": (batch, batch)}).module()
        for value, wanted in zip(exported(fed[0][:3], fed[1][:3]), module(fed[0][:3], fed[1][:3])):
            np.testing.assert_allclose(value, wanted, rtol=1e-6)


@torch_only
def test_distributed_data_parallel(tmp_path):
    import torch
    import torch.distributed as distributed

    model = tagger()
    module = model.as_torch().train()
    before = model.get_layer("first").get_weights()[0]
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/sync", rank=0, world_size=1)
    try:
        parallel = torch.nn.parallel.DistributedDataParallel(module)
        optimizer = torch.optim.SGD(parallel.parameters(), lr=0.1)
        sum(y.square().mean() for y in parallel(torch.from_numpy(A), torch.from_numpy(B))).backward()
        optimizer.step()
    finally:
        distributed.destroy_process_group()
    assert not np.array_equal(before, model.get_layer("first").get_weights()[0])


@torch_only
def test_a_copy_of_a_module_is_apart():
    import torch

    model = tagger()
    module = model.as_torch().eval()
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.get_parameter("first.kernel").zero_()
    assert model.get_layer("first").get_weights()[0].any()
    fed = (torch.from_numpy(A), torch.from_numpy(B))
    assert not other(*fed)[0].any() and module(*fed)[0].any()


@torch_only
def test_frozen_layers_rest_and_have_no_parameters():
    import torch

    model = tagger()
    model.get_layer("norm").trainable = False
    module = model.as_torch().train()
    assert "norm.gamma" in dict(module.named_buffers())
    module(torch.from_numpy(A), torch.from_numpy(B))
    assert not model.get_layer("norm").get_weights()[2].any()


@torch_only
def test_states_of_stateful_layers_go_on_and_gradients_are_of_the_states_before():
    import torch

    x = Input(batch_shape=(8, 6, 4))
    model = Model(x, layers.LSTM(3, stateful=True, name="rnn")(x)).to("torch")
    other = copy.deepcopy(model)
    module = model.as_torch().eval()
    for _ in range(3):
        y = module(torch.from_numpy(A))
        y.sum().backward()
        np.testing.assert_allclose(y.detach(), other.predict(A, batch_size=8), rtol=1e-5, atol=1e-6)


@torch_only
def test_a_model_with_gradients_inside():
    import torch

    x = Input((4,))
    dense = layers.Dense(1, activation="tanh")
    slope = layers.Lambda(lambda v: K.gradients(K.sum(dense(v)), [v])[0])(x)
    model = Model([x], [slope, dense(x)])
    module = model.as_torch().eval()
    data = A[:, 0]
    wanted = model.predict(data)
    with torch.no_grad():
        silent = module(torch.from_numpy(data))
    found = module(torch.from_numpy(data))
    for value, other, right in zip(found, silent, wanted):
        np.testing.assert_allclose(value.detach(), right, rtol=1e-5)
        np.testing.assert_allclose(other, right, rtol=1e-5)
        assert not other.requires_grad
    found[0].square().sum().backward()
    w = dense.get_weights()[0]
    t = np.tanh(data @ w)
    s = 1 - t * t
    of_w = (2 * s**2).sum() * w + data.T @ (2 * s * -2 * t * s) * (w * w).sum()
    kernel = next(p for name, p in module.named_parameters() if name.endswith("kernel"))
    np.testing.assert_allclose(kernel.grad, of_w, rtol=1e-4)


@torch_only
def test_a_module_of_torch_inside():
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    x = Input((4,))
    model = Model(x, layers.Dense(1)(layers.TorchModule(net, name="net")(x)))
    module = model.as_torch().train()
    assert "net.0.weight" in module.state_dict()
    module(torch.from_numpy(A[:, 0])).sum().backward()
    assert module.get_parameter("net.0.weight").grad.any() and int(net[1].num_batches_tracked) == 1


# ------------------------------------------------------------------------------------- TensorFlow

tf_only = pytest.mark.engine("tensorflow")


@tf_only
def test_a_training_loop_of_tensorflow_makes_the_same_step_as_fit():
    import tensorflow as tf

    model = tagger().to("tensorflow")
    other = copy.deepcopy(model)
    module = model.as_tf(named=True)
    for _ in range(3):
        losses = other.train_on_batch([A, B], TARGETS)
        with tf.GradientTape() as tape:
            found = module({"b": B, "a": A}, training=True)
            loss = sum(tf.reduce_mean((y - t) ** 2) for y, t in zip(found.values(), TARGETS))
        for v, g in zip(module.trainable_variables, tape.gradient(loss, module.trainable_variables), strict=True):
            v.assign_sub(0.01 * tf.convert_to_tensor(g))
        np.testing.assert_allclose(float(loss), losses[0], rtol=1e-6)
    assert worst(model, other) < 1e-6
    for found, wanted in zip(module(A, B).values(), model.predict([A, B])):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    model.fit([A, B], TARGETS, verbose=0)
    np.testing.assert_array_equal(module.first.kernel.numpy(), model.get_layer("first").get_weights()[0])


@tf_only
def test_saved_models_compute_both_phases_in_a_process_without_kbackend(tmp_path, fresh_python):
    import tensorflow as tf

    model = tagger()
    tf.saved_model.save(model.as_tf(), tmp_path / "saved")
    np.savez(tmp_path / "data.npz", a=A, b=B)
    code = f"""
import sys, numpy as np, tensorflow as tf
loaded, data = tf.saved_model.load(r"{tmp_path / "saved"}"), np.load(r"{tmp_path / "data.npz"}")
first, second = loaded(data["a"][:5], data["b"][:5])
one, two = (loaded(data["a"], data["b"], training=True)[0].numpy() for _ in range(2))
np.savez(r"{tmp_path / "out.npz"}", first=first, second=second, one=one, two=two)
print("kbackend" in sys.modules)
"""
    wanted = model.predict([A[:5], B[:5]])
    assert fresh_python(code).strip() == "False"
    found = np.load(tmp_path / "out.npz")
    for name, value in zip(("first", "second"), wanted):
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(found["one"], found["two"]), "each call draws other masks"


@tf_only
def test_wrong_calls_of_tensorflow_are_refused():
    module = tagger().as_tf()
    with pytest.raises(TypeError, match="tagger takes 2 inputs"):
        module(A)
    with pytest.raises(ValueError, match="the input 'a' has shape"):
        module(A[:, :, :2], B)
    with pytest.raises(TypeError, match="the input 'b' is int32, it was given float32"):
        module(A, B.astype("float32"))


@tf_only
def test_a_module_of_tensorflow_inside(tmp_path):
    import tensorflow as tf

    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(2.0)

        def __call__(self, x):
            return x * self.scale

    inner = Scale()
    x = Input((4,))
    model = Model(x, layers.Dense(1)(layers.TFModule(inner, name="net")(x)))
    module = model.as_tf()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(A[:, 0], training=True))
    assert float(tape.gradient(loss, inner.scale)) != 0.0
    tf.saved_model.save(module, tmp_path / "saved")
    np.testing.assert_allclose(tf.saved_model.load(tmp_path / "saved")(A[:, 0]), model.predict(A[:, 0]), rtol=1e-5)


# ------------------------------------------------------------------------------------- both


@pytest.mark.parametrize("method", [pytest.param("as_torch", marks=torch_only), pytest.param("as_tf", marks=tf_only)])
def test_layers_with_awkward_names_and_penalties(method):
    x = Input((4,))
    h = layers.Dense(3, name="forward", kernel_regularizer=regularizers.l2(1.0))(x)
    h = layers.Dense(3, name="training")(layers.Dense(3, name="variables")(h))
    model = Model(x, layers.Dense(1, name="name")(layers.Dense(2, name="a.b")(h)))
    module = getattr(model, method)()
    data = A[:, 0]
    if method == "as_torch":
        import torch

        data = torch.from_numpy(data)
    np.testing.assert_allclose(np.asarray(module(data).detach() if method == "as_torch" else module(data)),
                               model.predict(A[:, 0]), rtol=1e-5)


def test_a_model_without_shapes_is_refused():
    with pytest.raises(ValueError, match="does not know the shapes of its inputs yet"):
        kbackend.Sequential([layers.Dense(2)]).as_torch()
