"""What models show of themselves, and trials that leave them as they were."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

import kbackend
from kbackend import Input, K, Model, Sequential, callbacks, layers, optimizers, utils
from kbackend.model.inspecting.diagram import Shown, diagram_of
from kbackend.models import clone_model

RNG = np.random.default_rng(2)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X[:, :1] - X[:, 1:2]).astype("float32")


def made(**options):
    kbackend.set_seed(3)
    model = Sequential([layers.Dense(8, activation="tanh", input_shape=(4,)), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"], **options)
    return model


def state(model):
    variables = model.training_graph().variables()  # makes the state of the optimizer
    found = [v.numpy() for v in [*model.weights, *model.optimizer.variables(), *variables]]
    return [*found, model.epochs_seen]


def assert_same(before, after):
    assert len(before) == len(after)
    assert all(np.array_equal(a, b) for a, b in zip(before, after))


# ---------------------------------------------------------------------------------------------------- trials


def test_a_dry_run_changes_nothing_and_runs_everything(each_backend, tmp_path):
    model, heard = made(), []
    before = state(model)
    events = "train_begin epoch_begin train_batch_begin train_batch_end test_begin test_end epoch_end train_end".split()
    listen = callbacks.LambdaCallback(
        **{f"on_{event}": lambda *args, event=event: heard.append(event) for event in events}
    )
    stopping = callbacks.EarlyStopping()
    kept = [
        listen, stopping, callbacks.CSVLogger(tmp_path / "log.csv"), callbacks.BackupAndRestore(tmp_path / "backup"),
        callbacks.RemoteMonitor("http://127.0.0.1:9"),
    ]  # fmt: skip
    attributes = [dict(vars(c)) for c in kept]
    history = model.fit(X, Y, epochs=9, validation_split=0.2, callbacks=kept, dry_run=True, verbose=0)
    assert sorted(history.history) == ["loss", "mae", "val_loss", "val_mae"] and len(history.epoch) == 1
    assert heard == events
    assert_same(before, state(model))
    assert [dict(vars(c)) for c in kept] == attributes and stopping.model is None
    assert not list(tmp_path.iterdir())
    first = model.fit(X, Y, epochs=2, verbose=0).history
    assert first == made().fit(X, Y, epochs=2, verbose=0).history


def test_a_dry_run_finds_what_would_fail_later(tmp_path):
    def fail(logs):
        raise OSError("no space")

    model = made()
    before = state(model)
    with pytest.raises(OSError, match="no space"):
        model.fit(X, Y, epochs=9, callbacks=[callbacks.LambdaCallback(on_train_end=fail)], dry_run=True)
    assert_same(before, state(model))
    with pytest.raises(ValueError):
        model.fit(X, Y, validation_data=(X[:, :2], Y), dry_run=True)
    assert getattr(model, "history", None) is None


def test_a_dry_run_of_a_model_without_shapes_makes_its_weights():
    model = Sequential([layers.Dense(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, dry_run=True)
    assert model.built and int(model.optimizer.iterations.numpy()) == 0


def test_the_range_test_finds_a_rate_that_learns(capsys):
    model = made()
    before = state(model)
    found = model.find_lr(X, Y, max_lr=10.0, steps=80)
    assert_same(before, state(model))
    assert 1e-3 < found.suggestion < 1.0
    assert f"the loss falls most at {found.suggestion:.3g}" in capsys.readouterr().out
    ratios = np.diff(np.log(found.rates))
    np.testing.assert_allclose(ratios, np.log(1e7) / 79, rtol=1e-3)
    assert len(found.losses) == len(found.rates) <= 80
    assert found.plot().axes[0].get_xscale() == "log"


def test_the_range_test_smooths_as_its_formula():
    test = callbacks.range_test.RangeTest(0.1, 1.0, 5, 0.5)
    model = made()
    test.set_model(model)
    for batch, loss in enumerate([4.0, 2.0, 1.0]):
        test.on_train_batch_begin(batch)
        test.on_train_batch_end(batch, {"loss": loss})
    np.testing.assert_allclose(test.found.losses, [4.0, 4 / 3 + 4 / 3, (0.5 + 1.0 / 2 + 0.5) / 0.875], rtol=1e-6)
    np.testing.assert_allclose(test.found.rates, [0.1, 0.1 * 10**0.25, 0.1 * 10**0.5], rtol=1e-6)
    wrong = {"rise": (1.0, 0.1, 5, 0.5), "at least 2": (0.1, 1.0, 1, 0.5), r"\[0, 1\)": (0.1, 1.0, 5, 1.0)}
    for label, arguments in wrong.items():
        with pytest.raises(ValueError, match=label):
            callbacks.range_test.RangeTest(*arguments)


def test_no_suggestion_where_the_loss_falls_nowhere():
    rates = np.logspace(-5, 0, 20).tolist()
    assert callbacks.range_test.RateSearch(rates, list(range(20))).suggestion is None
    falling = [5.0] * 10 + [4.0, 3.0, 2.0, 1.0] + [1.0] * 6
    assert rates[10] <= callbacks.range_test.RateSearch(rates, falling).suggestion <= rates[12]


def test_a_schedule_cannot_be_searched():
    model = made()
    model.compile(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), "mse")
    with pytest.raises(TypeError, match="the learning rate follows"):
        model.find_lr(X, Y)


def test_a_batch_is_learned_by_heart(capsys):
    model = made()
    before = state(model)
    x = Input((4,))
    able = Model(x, layers.Dense(1)(layers.Dense(32, activation="relu")(x)))
    able.compile(optimizers.Adam(0.01), "mse")
    history = able.overfit(X, RNG.normal(size=(50, 1)), batch_size=8)
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]
    assert "1 batch, 200 epochs: loss" in (out := capsys.readouterr().out) and "learned by heart" in out
    model.overfit(X, RNG.normal(size=(50, 1)), batches=2, batch_size=20, epochs=2)
    assert re.search(r"2 batches, 2 epochs: .* not learned by heart", capsys.readouterr().out)
    assert_same(before, state(model))


def test_the_same_batches_of_a_dataset_are_learned_by_heart():
    x = Input((3,))
    model = Model(x, layers.Dense(1)(x))
    model.compile(optimizers.SGD(0.1), "mse")
    data = utils.timeseries_dataset_from_array(np.arange(20.0) / 20, np.arange(20.0) / 20, 3, batch_size=4)
    losses = model.overfit(data, epochs=30).history["loss"]
    assert losses == sorted(losses, reverse=True)
    generated = model.overfit(iter(list(data)), batches=1, epochs=30).history["loss"]
    assert generated == losses
    with pytest.raises(ValueError, match="the data has 5 batches, not 9"):
        model.overfit(iter(list(data)), batches=9)


# --------------------------------------------------------------------------------------------------- showing


def branched():
    """Two inputs, a shared layer, a frozen one, a nested model, and operations between layers."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    inner = Sequential([layers.Dense(3, input_shape=(4,), name="in1"), layers.Dropout(0.5)], name="inner")
    frozen = layers.Dense(3, name="frozen", trainable=False)
    shared = layers.Dense(2, activation="tanh", name="shared")
    left, right = shared(inner(a)), shared(frozen(b))
    return Model([a, b], K.tanh(left - right), name="whole")


def boxes(diagram):
    return [(box.title, box.kind) for box in diagram.boxes]


def test_diagrams_have_calls_operations_and_connections():
    found = diagram_of(branched())
    assert boxes(found) == [
        ("Input", "input"), ("Input", "input"), ("Sequential", "model"), ("Dense", "shared"), ("Dense", "frozen"),
        ("Dense", "shared"), ("subtract", "op"), ("tanh", "op"),
    ]  # fmt: skip
    assert set(found.edges) == {(0, 2), (2, 3), (1, 4), (4, 5), (3, 6), (5, 6), (6, 7)}
    shown = diagram_of(branched(), Shown(True, True, True, True, True, True))
    assert shown.boxes[3].rows == [
        "shared, call 1", "shared", "activation: tanh", "trainable", "(None, 3) → (None, 2)", "float32 → float32",
    ]  # fmt: skip
    assert "not trainable" in shown.boxes[4].rows
    assert boxes(shown.boxes[2].inner) == [("Input", "input"), ("Dense", "layer"), ("Dropout", "layer")]


def test_pictures_of_models(tmp_path):
    model = branched()
    for rankdir, tall in (("TB", True), ("LR", False), ("BT", True), ("RL", False)):
        utils.plot_model(model, tmp_path / "m.png", rankdir=rankdir, dpi=50)
        with Image.open(tmp_path / "m.png") as image:
            assert (image.height > image.width) is tall and len(image.getcolors(1 << 20)) > 10
    figure = utils.plot_model(model, tmp_path / "m.svg", show_shapes=True, show_layer_names=True, expand_nested=True)
    root = ElementTree.parse(tmp_path / "m.svg").getroot()
    assert root.tag.endswith("svg") and len(list(root.iter())) > 30
    written = [text.get_text() for text in figure.axes[0].texts]
    assert {"inner", "in1", "shared", "tanh", "(None, 3) → (None, 2)"} <= set(written)
    with pytest.raises(ValueError, match="rankdir must be"):
        utils.plot_model(model, None, rankdir="UP")


def test_boxes_of_nested_models_hold_their_layers():
    """The boxes as drawn: each inner one inside the frame, and none over another of its kind."""
    figure = utils.plot_model(branched(), None, show_shapes=True, expand_nested=True)
    patches = [p for p in figure.axes[0].patches if hasattr(p, "get_boxstyle")] or [
        p for p in figure.axes[0].get_children() if hasattr(p, "get_boxstyle")
    ]
    frames = [(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in patches]
    assert len(frames) == 11

    def holds(a, b):
        return a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2] and a[3] >= b[3]

    outer = max(frames, key=lambda f: (f[2] - f[0]) * (f[3] - f[1]))
    assert sum(holds(outer, f) for f in frames) == 4
    level = patches[frames.index(outer)].get_zorder()
    arrows = [p.get_zorder() for p in figure.axes[0].get_children() if hasattr(p, "get_arrowstyle")]
    assert sum(order > level for order in arrows) == 2 and len(arrows) == 9  # those inside are drawn over the frame
    for i, a in enumerate(frames):
        for b in frames[:i]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart or holds(a, b) or holds(b, a)


def test_a_model_without_shapes_is_drawn_as_a_chain():
    found = diagram_of(Sequential([layers.Dense(2), layers.Dense(1)]), Shown(shapes=True))
    assert boxes(found) == [("Dense", "layer")] * 2 and found.edges == [(0, 1)]


def test_dot_on_request(tmp_path):
    pydot = pytest.importorskip("pydot")
    model = branched()
    utils.plot_model(model, tmp_path / "m.dot", show_layer_names=True, expand_nested=True)
    graph = pydot.graph_from_dot_file(tmp_path / "m.dot")[0]
    (cluster,) = graph.get_subgraphs()
    assert len(cluster.get_nodes()) == 3 and len(graph.get_edges()) == 7
    assert isinstance(utils.model_to_dot(model, show_shapes=True), pydot.Dot)
    assert isinstance(utils.model_to_dot(model, subgraph=True), pydot.Cluster)


def test_notebooks_show_models_tensors_and_histories():
    model = made()
    text = model._repr_html_()
    assert "<pre>" in text and "<svg" in text and "dense" in text
    assert "<svg" in Sequential([layers.Dense(1)])._repr_html_()
    many = Input((1,))
    tensor = many
    for _ in range(200):
        tensor = tensor + 1
    assert "<svg" not in Model(many, tensor)._repr_html_()
    assert "<td>(None, 1)</td>" in model.output._repr_html_() and "dense" in model.output._repr_html_()
    assert "&lt;b&gt;" in K.placeholder((1,), name="<b>")._repr_html_()
    history = callbacks.History()
    assert history._repr_html_() == "<p>0 epochs</p>"
    history = model.fit(X, Y, epochs=2, validation_split=0.2, verbose=0)
    html = history._repr_html_()
    assert f"<td>{history.history['val_mae'][-1]:.6g}</td>" in html and "<svg" in html and "2 epochs on" in html
    assert repr(history) == "<History of 2 epochs: loss, mae, val_loss, val_mae>"


def test_curves_of_a_history(tmp_path):
    history = made().fit(X, Y, epochs=5, validation_data=(X, Y), validation_freq=[1, 4], verbose=0)
    figure = history.plot(path=tmp_path / "h.png")
    assert [a.get_title() for a in figure.axes] == ["loss", "mae"]
    train, held_out = figure.axes[0].lines
    assert list(train.get_xdata()) == [1, 2, 3, 4, 5] and list(held_out.get_xdata()) == [1, 4]
    np.testing.assert_array_equal(held_out.get_ydata(), history.history["val_loss"])
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    assert len(history.plot(["mae"]).axes[0].lines) == 1
    with pytest.raises(ValueError, match="no acc; it has loss, mae"):
        history.plot(["acc"])


def test_the_program_as_text(each_backend):
    model = made()
    assert "tanh" in model.source() and "dropout" not in model.source().lower()
    assert "adam" in model.source("train").lower()
    with pytest.raises(ValueError, match="kind must be"):
        model.source("test")


def test_models_between_any_tensors():
    model = branched()
    x = X[:5]
    inner, minus = model.get_layer("inner").get_output_at(-1), model.outputs[0].node.inputs[0]
    first = Model(model.inputs, minus)
    last = Model(minus, model.outputs)
    np.testing.assert_allclose(last.predict(first.predict([x, x])), model.predict([x, x]), rtol=1e-6)
    middle = Model(inner, model.get_layer("shared").get_output_at(0))
    assert middle.predict(X[:5, :3]).shape == (5, 2)
    assert len(middle.weights) == 2


def test_clones_share_nothing():
    model = branched()
    twin = clone_model(model)
    x = X[:5]
    assert twin.summary is not None and [v.shape for v in twin.weights] == [v.shape for v in model.weights]
    assert not {id(v) for v in twin.weights} & {id(v) for v in model.weights}
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict([x, x]), model.predict([x, x]))
    renamed = clone_model(model, clone_function=lambda layer: type(layer).from_config(layer.get_config()))
    assert [layer.name for layer in renamed.layers] == [layer.name for layer in model.layers]
