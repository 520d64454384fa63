"""The step of one process in itself: its draws, its launch, and what it refuses. No process is started."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, distribution, layers, metrics, optimizers
from kbackend.distribution import divided as divided_steps
from kbackend.distribution import weights
from kbackend.distribution.partition import Partition, rebuilt
from kbackend.distribution.pieces import Pieces
from kbackend.distribution.team import Team
from kbackend.graph.walk import Graph
from kbackend.plugin import select
from kbackend.plugin.processes.group import DistributedError
from kbackend.plugin.processes.launch import launched
from kbackend.runtime.function import Function
from kbackend.training.arrays import Groups
from kbackend.training.sources.arrays import Batches
from kbackend.training.sources.parted import Parted

SAMPLES = 7


class Alone:
    """A group in which nobody else answers."""

    def __init__(self, rank: int, size: int, others: tuple[bytes, ...] = ()) -> None:
        self.rank, self.size, self._others = rank, size, others  # of which each came for the same purpose

    def gather(self, content: bytes) -> list[bytes]:
        return [content, *(content.split(b"\0")[0] + b"\0" + other for other in self._others)]

    def lost(self, error: BaseException) -> str | None:
        return "gone" if isinstance(error, OSError) else None

    def close(self) -> None: ...

    compiles = False
    overlaps = False


def draws(x):
    """Draws of all kinds, one after the other."""
    made = layers.Dropout(0.4)(x)
    made = layers.SpatialDropout1D(0.3)(made)
    made = layers.Dropout(0.2, noise_shape=(1, None, 3))(made)  # one mask for all samples
    made = layers.GaussianNoise(0.5)(layers.AlphaDropout(0.2)(made))
    made = made + K.random_uniform(K.shape(x), -1.0, 1.0, dtype="float64") * K.cast(x, "float64")
    return made + K.random_normal((3,))


def test_draws_of_parts_are_the_bytes_of_the_whole(each_backend):
    kbackend.set_seed(3)
    x = Input((4, 3))
    result = draws(x)
    data = np.random.RandomState(0).rand(SAMPLES, 4, 3)
    partition = Partition("model", False)
    whole = K.function([x, K.learning_phase()], [result])
    graph = partition.rewritten(Graph([x, *partition.feeds], [result], name="part"))
    part = Function(graph.inputs, graph.outputs, (), "part", None, 1)
    counters = [v for v in graph.variables() if v.counter]
    for step in range(2):
        wanted = whole([data, 1])[0]
        for bounds in ((0, 3), (3, 4), (4, 7)):
            for counter in counters:
                K.set_value(counter, step)
            first, last = bounds
            found = part([data[first:last], (last - first) / SAMPLES, first])[0]
            assert found.tobytes() == wanted[first:last].tobytes(), bounds


def test_a_graph_that_nothing_changes_is_shared():
    x = K.placeholder((None, 2))
    y = K.tanh(x) + 1.0
    assert rebuilt([y], [x], lambda node, args: None) == [y]


def test_draws_by_rejection_are_refused():
    x = K.placeholder((None, 2))
    partition = Partition("net", False)
    graph = Graph([x, *partition.feeds], [x + kbackend.random.gamma(K.shape(x), 2.0)])
    with pytest.raises(DistributedError, match="net: the random draw of .*random_gamma.* by rejection"):
        partition.rewritten(graph)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_parts_of_batches_follow_each_other(size):
    x = np.arange(SAMPLES * 2.0).reshape(SAMPLES, 2)
    order = np.random.RandomState(1).permutation(SAMPLES)
    source = Batches(Groups([x], [], []), 4)
    each = [list(Parted(source, Team(Alone(rank, size), False)).epoch(np.asarray, order)) for rank in range(size)]
    for batch, (first, last) in enumerate(source.bounds()):
        parts = [one[batch] for one in each]
        assert {count for count, _ in parts} == {last - first}
        rows = [a if share > 0 else a[:0] for _, (a, share, _) in parts]
        assert (np.concatenate(rows) == x[order[first:last]]).all()
        assert all(len(a) for _, (a, _, _) in parts)
        assert [float(share) * (last - first) for _, (_, share, _) in parts] == pytest.approx([len(r) for r in rows])
        places = np.cumsum([0, *map(len, rows)])
        assert all(int(row) == place for (_, (_, share, row)), place in zip(parts, places) if share > 0)


def test_a_source_of_batches_is_divided_like_arrays():
    x = np.arange(10.0)[:, None]
    class Two:
        sample, steps, samples, batch_size, units, goes_on, shapes, held = None, 2, None, None, None, False, None, None
        pass_over = close = lambda *_: None

        def epoch(self, feed, order, skip):
            return ((5, [feed(x[start : start + 5])]) for start in (0, 5))

    found = list(Parted(Two(), Team(Alone(1, 2), False)).epoch(np.asarray))
    assert [(n, a.ravel().tolist(), float(s), int(r)) for n, (a, s, r) in found] == [
        (5, [3.0, 4.0], 0.4, 3), (5, [8.0, 9.0], 0.4, 3)]


def test_how_the_processes_were_started():
    assert launched({}) is None
    assert launched({"RANK": "0", "WORLD_SIZE": "1"}) is None
    found = launched({"RANK": "2", "WORLD_SIZE": "4"})
    assert (found.launcher.command, found.rank, found.size) == ("torchrun", 2, 4)
    assert launched({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}).launcher.command == "mpirun"
    task = {"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1}}
    assert launched({"TF_CONFIG": json.dumps(task)})[1:] == (2, 3)
    for wrong in ({"WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"TF_CONFIG": "{"}):
        with pytest.raises(DistributedError):
            launched(wrong)


def test_an_engine_that_the_launcher_does_not_know(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    x = Input((2,))
    with pytest.raises(DistributedError, match="2 processes were started by torchrun, the engine numpy .* mpirun"):
        Model(x, layers.Dense(1)(x)).to("numpy").distribute()


def test_what_is_not_there_says_so():
    x = Input((2,))
    with pytest.raises(NotImplementedError, match="shard=True.*: the engine numpy cannot divide weights"):
        Model(x, layers.Dense(1)(x)).to("numpy").distribute(distribution.DataParallel(shard=True))
    with pytest.raises(ValueError, match="timeout"):
        distribution.DataParallel(timeout=0)


def divided(model, monkeypatch):
    """The step of training of one of two processes."""
    monkeypatch.setattr(type(model._steps.placement), "team", lambda self, steps: Team(Alone(0, 2), False))
    return model._steps.for_training()


def test_states_that_are_no_sums_are_refused(monkeypatch):
    class Largest(metrics.Metric):
        def __init__(self):
            super().__init__(name="largest")
            self.top = self.add_weight(name="top")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.top.assign(K.maximum(self.top, K.max(y_pred)))

        def result(self):
            return self.top

    x = Input((2,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse", metrics=[Largest()])
    with pytest.raises(DistributedError, match="largest/top is not a sum"):
        divided(model, monkeypatch)


def test_models_that_cannot_be_divided_are_refused(monkeypatch):
    x = Input(batch_shape=(4, 3, 2))
    for layer, told in ((layers.LSTM(2, stateful=True), "stateful"), (layers.LSTM(2), "batch size .* is fixed")):
        model = Model(x, layer(x))
        model.compile("sgd", "mse")
        with pytest.raises(DistributedError, match=told):
            divided(model, monkeypatch)
    x = Input((3,))
    model = Model(x, layers.Dense(2)(x))
    model.compile("sgd", "mse", target_tensors=[np.zeros((4, 2))])
    with pytest.raises(DistributedError, match="batch size .* is fixed"):
        divided(model, monkeypatch)
    model.compile("sgd", "mse", jit=True)
    with pytest.raises(DistributedError, match="compile without jit=True"):
        divided(model, monkeypatch)


def test_one_process_runs_the_same_program():
    def program(strategy):
        kbackend.set_seed(1)
        x = Input((3,), name="x")
        model = Model(x, layers.Dropout(0.5, name="drop")(layers.Dense(2, name="dense")(x)), name="net")
        model.compile("adam", "mse", metrics=["mae"])
        if strategy is not None:
            model.distribute(strategy)
        return re.sub(r"_\d+", "", model._steps.for_training().function.source)  # numbers of nodes

    assert program(None) == program(distribution.DataParallel(sync_batch_norm=True))
    assert "all_reduce" not in program(None)


def test_the_first_process_that_differs_is_named():
    told = json.dumps({"the seed": "1"}).encode()
    team = Team(Alone(0, 3, (told, json.dumps({"the seed": "2"}).encode())), False)
    with pytest.raises(DistributedError, match="process 2 differs from process 0 in the seed: 2, and 1 in process 0"):
        team.agree({"the seed": 1})
    x = K.placeholder((None, 2))
    with pytest.raises(DistributedError, match="differs from process 0 in the graph of the step"):
        team.meet(Graph([x], [x * 2.0]))


def test_processes_that_do_different_things_say_so():
    class Elsewhere(Alone):
        def gather(self, content):
            return [content, b"read dense/kernel\0..."]

    with pytest.raises(DistributedError, match="process 0 came to wait, process 1 to read dense/kernel: all processes"):
        Team(Elsewhere(0, 2), False).wait()


def in_pieces(monkeypatch, model, optimizer, shard=True):
    """The step of training of one of two processes that divide the weights, or sum gradients beside the backward
    pass."""
    model.compile(optimizer, "mse")
    team = Team(Alone(0, 2), False, shard)
    monkeypatch.setattr(Alone, "overlaps", not shard)
    monkeypatch.setattr(type(model._steps.placement), "team", lambda self, steps: team)
    return model._steps.for_training().function.graph


def step_in_pieces(monkeypatch, optimizer, **options):
    """Such a step of a model with a frozen layer."""
    x = Input((6,))
    frozen = layers.Dense(4, trainable=False)(layers.Dense(4, activation="tanh", **options)(x))
    model = Model(x, layers.Dense(1, use_bias=False, kernel_regularizer="l2")(frozen))
    return in_pieces(monkeypatch, model, optimizer)


def names_of(graph):
    return [node.op.name for node in graph.nodes()]


def test_what_is_elementwise_is_computed_of_pieces(monkeypatch):
    for optimizer in ("adam", "ftrl", "lion", optimizers.SGD(global_clipnorm=1.0)):
        graph = step_in_pieces(monkeypatch, optimizer)
        assert names_of(graph).count("gather_pieces") == 2  # of the trained weights, and of those that are frozen
        assert "own_piece" not in names_of(graph)
        gradients = next(node for node in graph.nodes() if node.op.name == "gradients")
        assert {t.shape for t in gradients.outputs} == {(12,), (2,)}
        assert all(len(v.shape) < 2 for v in graph.variables())


def test_what_takes_a_whole_weight_gathers_it(monkeypatch):
    graph = step_in_pieces(monkeypatch, "adam", kernel_constraint="unit_norm")
    assert names_of(graph).count("gather_pieces") == 3
    assert names_of(graph).count("own_piece") == 1
    graph = step_in_pieces(monkeypatch, "muon")
    assert names_of(graph).count("own_piece") >= 2


@pytest.mark.engine("torch")
@pytest.mark.parametrize("module, op", [(divided_steps, "gather_pieces"), (weights, "replicated")])
def test_weights_enter_the_loss_one_after_the_other_where_they_are_used(monkeypatch, module, op):
    monkeypatch.setattr(module, "BUCKET", 80)  # bytes of a kernel and a bias
    x = hidden = Input((4,))
    for _ in range(3):
        hidden = layers.Dense(4, activation="tanh")(hidden)
    graph = in_pieces(monkeypatch, Model(x, hidden), "adam", shard=op == "gather_pieces")
    with kbackend.use_backend("torch"):
        source = Function(graph.inputs, graph.outputs, graph.updates, "step", None, 1).source
    calls = re.findall(rf"= ({op}|dense|gradients)\w*\(", source)
    assert calls == [*[op, "dense"] * 3, "gradients"], source
    assert len(re.findall(rf"del .*{op}_\d+_0, {op}_\d+_1", source)) == 3  # as soon as they were used


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(5, 7), (9,), ()])
def test_pieces_make_the_whole(size, shape):
    value = np.asarray(np.random.RandomState(0).rand(*shape), np.float32)

    def gather(purpose, content):
        return [home.own(value).tobytes() for home in homes]

    homes = [Pieces(rank, size, gather) for rank in range(size)]
    cells = [home.own(value) for home in homes]
    w = K.variable(value)
    assert {len(cell) for cell in cells} == {homes[0].count(w)} == {-(-value.size // size)}
    assert np.concatenate(cells)[: value.size].tobytes() == value.tobytes()
    assert not np.concatenate(cells)[value.size :].any()
    w.cell(homes[0])
    assert w.home is homes[0] and w.numpy().tobytes() == value.tobytes() and w.numpy().shape == shape


def test_values_move_between_pieces_and_the_whole():
    w = K.variable(np.arange(6.0))
    home = Pieces(1, 2, lambda purpose, content: [np.zeros(3, np.float32).tobytes(), content])
    piece, target = home.of(w), select.active_target()
    assert home.of(w) is piece and piece.whole is w
    assert target.cell_to_numpy(piece.cell(target)).tolist() == [3.0, 4.0, 5.0]
    assert w.numpy().tolist() == [0.0, 0.0, 0.0, 3.0, 4.0, 5.0]
    K.set_value(w, np.arange(6.0) * 2)
    assert w.home is home and target.cell_to_numpy(piece.cell(target)).tolist() == [6.0, 8.0, 10.0]
    K.function([], [], updates=[(w, w + 1.0)])([])  # whole
    assert w.home is target
    assert target.cell_to_numpy(piece.cell(target)).tolist() == [7.0, 9.0, 11.0]
    K.function([], [], updates=[(piece, piece * 2.0)])([])
    assert w.home is home and w.numpy().tolist() == [0.0, 0.0, 0.0, 14.0, 18.0, 22.0]
    with home.readable_in_first([w]):
        assert w.numpy().tolist() == [0.0, 0.0, 0.0, 14.0, 18.0, 22.0]


def test_errors_of_lost_processes_and_others():
    team = Team(Alone(0, 2), False)

    def fails(error):
        def run(feeds):
            raise error

        return team.guarded(run)

    with pytest.raises(DistributedError, match="process 0 of 2: gone"):
        fails(OSError())([])
    with pytest.raises(KeyError):
        fails(KeyError())([])
