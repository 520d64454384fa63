"""Draws from the engines' own generators: ``KBACKEND_RNG=native`` and ``kbackend.set_rng``."""

import copy
import json
import math

import numpy as np
import pytest

import kbackend
from kbackend import K, layers
from kbackend.declare.op import REGISTRY
from kbackend.plugin import modes, select
from kbackend.plugin.contract import PluginError, Target
from kbackend.plugin.native import seed_of
from kbackend.plugin.validate import validate

SHAPE = (400, 500)

NATIVELY = """
import json
import numpy as np
import kbackend
from kbackend import K, layers

def net():
    kbackend.set_seed(5)
    return kbackend.Sequential([kbackend.Input((6,)), layers.Dense(32), layers.Dropout(0.5), layers.Dense(2)])

def run():
    model = net()
    model.compile("sgd", "mse")
    start = [w.tolist() for w in model.get_weights()]
    history = model.fit(np.ones((64, 6), "f"), np.arange(128.0).reshape(64, 2).astype("f"), epochs=2, verbose=0)
    lines = []
    model.summary(print_fn=lines.append)
    x = K.placeholder((None, 500))
    mask = K.function([x], [K.dropout(x, 0.3)])([np.ones((400, 500), "f")])[0]
    return {
        "start": start, "loss": history.history["loss"], "rng": [history.rng, history.params["rng"]],
        "line": lines[-1], "mask": (mask != 0).astype(int).sum(axis=1).tolist(), "kept": int((mask != 0).sum()),
        "scale": float(mask.max()),
    }

found = {"mode": kbackend.rng(), "first": run(), "second": run()}
kbackend.set_rng("portable")
found["portable"] = run()
print(json.dumps(found))
"""


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    before = kbackend.rng()
    yield
    kbackend.set_rng(before)


def native(name="native"):
    kbackend.set_rng(name)


def ones_dropped(rate, shape=SHAPE, dtype="float32", **options):
    x = K.placeholder(shape, dtype=dtype)
    return K.function([x], [K.dropout(x, rate, **options)]), np.ones(shape, dtype)


def expects_rate(mask, rate):
    kept, count = np.count_nonzero(mask), mask.size
    assert abs(kept - count * (1 - rate)) < 5 * math.sqrt(count * rate * (1 - rate))


# ------------------------------------------------------------------------------------- as a user sees it


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.engine(n)) for n in ("numpy", "torch", "tensorflow")]
)
def test_the_environment_chooses_the_engines_own_numbers(fresh_python, name):
    found = json.loads(fresh_python(NATIVELY, {"KBACKEND": name, "KBACKEND_RNG": "native"}))
    first, second, portable = found["first"], found["second"], found["portable"]
    assert found["mode"] == "native" and first == second
    assert first["rng"] == ["native", "native"]
    assert first["line"] == f"Random draws: native, by the own generator of {name}"
    assert portable["rng"] == ["portable", "portable"] and "draws" not in portable["line"]
    assert first["mask"] != portable["mask"] and first["loss"] != portable["loss"]
    assert first["start"] == portable["start"]  # initial weights stay the same on every engine
    assert abs(first["kept"] - 140_000) < 5 * math.sqrt(200_000 * 0.3 * 0.7)
    assert first["scale"] == pytest.approx(1 / 0.7)


def test_summary_loads_no_engine(fresh_python):
    code = (
        "import sys, kbackend\nfrom kbackend import layers\n"
        "kbackend.Sequential([kbackend.Input((6,)), layers.Dropout(0.5)]).summary()\n"
        "print({'torch', 'tensorflow'} & set(sys.modules))"
    )
    told = fresh_python(code, {"KBACKEND_RNG": "native"}).splitlines()
    assert told[-2:] == ["Random draws: native, by the engine's own generator", "set()"]


def test_the_file_chooses_and_the_environment_goes_before_it(fresh_python, tmp_path):
    (tmp_path / "config.json").write_text('{"rng": "native"}')
    env = {"KBACKEND_HOME": str(tmp_path)}
    assert fresh_python("import kbackend; print(kbackend.rng())", env) == "native\n"
    env["KBACKEND_RNG"] = "portable"
    assert fresh_python("import kbackend; print(kbackend.rng())", env) == "portable\n"


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="must be 'portable' or 'native', not 'torch'"):
        kbackend.set_rng("torch")
    assert kbackend.rng() == "portable"


# ------------------------------------------------------------------------------------- which numbers


def test_numbers_are_those_of_the_engines_generator(each_backend):
    native()
    kbackend.set_seed(7)
    found = K.function([], [K.random_uniform((5,))])([])[0]
    assert found.tolist() == by_hand(each_backend).tolist()


def by_hand(name):
    if name == "torch":
        import torch

        device = select.active_target().device
        return torch.rand(5, generator=torch.Generator(device).manual_seed(7), device=device).cpu().numpy()
    if name == "tensorflow":
        import tensorflow as tf

        return tf.random.Generator.from_seed(7).uniform((5,)).numpy()
    return np.random.default_rng(7).random(5, np.float32)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_units_and_normals_have_their_distributions(each_backend, dtype):
    native()
    kbackend.set_seed(3)
    unit, normal, whole, low = K.function(
        [],
        [
            K.random_uniform(SHAPE, dtype=dtype),
            K.random_normal(SHAPE, 1.0, 2.0, dtype=dtype),
            K.random_uniform(SHAPE, -3, 4, "int32"),
            K.truncated_normal(SHAPE, dtype=dtype),
        ],
    )([])
    count = math.prod(SHAPE)
    assert unit.dtype == normal.dtype == low.dtype == dtype and whole.dtype == "int32"
    assert unit.min() >= 0 and unit.max() < 1
    assert abs(unit.astype("float64").mean() - 0.5) < 5 / math.sqrt(12 * count) + (dtype == "float16") * 2**-11
    assert abs(unit.astype("float64").var() - 1 / 12) < 5 * math.sqrt(1 / 180 / count)
    assert abs(normal.astype("float64").mean() - 1) < 5 * 2 / math.sqrt(count)
    assert abs(normal.astype("float64").std() / 2 - 1) < 5 / math.sqrt(2 * count)
    frequencies = np.bincount(whole.ravel() + 3, minlength=7) / count
    assert whole.min() == -3 and np.abs(frequencies - 1 / 7).max() < 5 * math.sqrt(6 / 49 / count)
    assert np.abs(low).max() <= 2


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout_keeps_the_rate_and_the_dtype(each_backend, dtype):
    native()
    f, x = ones_dropped(0.3, dtype=dtype)
    first, second = f([x])[0], f([x])[0]
    assert first.dtype == dtype and sorted(np.unique(first)) == [0, np.asarray(1 / 0.7, dtype)]
    expects_rate(first, 0.3)
    assert (first != second).any()


def test_rates_at_the_ends_and_noise_shapes(each_backend):
    native()
    assert ones_dropped(1.0)[0]([np.ones(SHAPE)])[0].max() == 0
    assert ones_dropped(0.0)[0]([np.ones(SHAPE)])[0].min() == 1
    f, x = ones_dropped(0.5, noise_shape=(None, 1))
    rows = f([x])[0]
    assert (rows == rows[:, :1]).all() and set(np.unique(rows)) == {0, 2}


def test_the_rate_stays_live(each_backend):
    native()
    rate = K.variable(0.0)
    f, x = ones_dropped(rate)
    assert f([x])[0].min() == 1
    K.set_value(rate, 0.75)
    expects_rate(f([x])[0], 0.75)


def test_the_gradient_has_the_mask_of_the_output(each_backend):
    native()
    x, v = K.placeholder((None, 50)), K.variable(np.ones(50))
    y = K.dropout(x * v, 0.4)
    gradient = K.gradients(K.sum(y), [v])[0]
    f = K.function([x], [y, gradient])
    for _ in range(2):
        out, found = f([np.ones((40, 50))])
        np.testing.assert_allclose(found, out.sum(axis=0), rtol=1e-6)
        assert 0 < np.count_nonzero(out == 0) < out.size


def test_draws_in_loops_differ_from_step_to_step(each_backend):
    native()
    rows = K.placeholder((6, 50))
    mask = K.function([rows], [K.map_fn(lambda row: K.dropout(row, 0.5), rows)])([np.ones((6, 50))])[0]
    assert len(np.unique(mask, axis=0)) == 6


# ------------------------------------------------------------------------------------- seeds


def test_a_seed_repeats_a_program_that_stands(each_backend):
    native()
    f, x = ones_dropped(0.5, (20, 20))
    runs = []
    for seed in (1, 1, 2):
        kbackend.set_seed(seed)
        runs.append([f([x])[0].tobytes() for _ in range(3)])
    assert runs[0] == runs[1] and len({*runs[0], *runs[2]}) == 6


def test_a_draw_with_a_seed_of_its_own_repeats_whatever_else_is_drawn(each_backend):
    native()

    def masks(before):
        f, x = ones_dropped(0.5, (20, 20), seed=9)
        K.eval(K.random_uniform((before,)))
        return [f([x])[0].tobytes() for _ in range(2)]

    assert masks(1) == masks(3) and len(set(masks(2))) == 2
    values = [K.eval(K.random_normal((8,), seed=s)).tobytes() for s in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_seeds_of_draws_are_told_apart():
    assert seed_of(1, 1 << 20, 0, None) is None
    seeds = {seed_of(key, op_id, step, trial) for key in (0, 2**63) for op_id in (0, 1) for step in (0, 1)
             for trial in (0, 1)}  # fmt: skip
    assert len(seeds) == 16 and all(0 <= s < 1 << 64 for s in seeds)
    assert seed_of(5, 0, 3, None) == seed_of(5, 0, 3, 0) == seed_of(5, 0, np.int64(3), np.int64(0))


# ------------------------------------------------------------------------------------- switching


def test_a_function_follows_the_mode_and_keeps_its_programs(each_backend):
    f, x = ones_dropped(0.5, (20, 20))
    plain = f([x])[0]
    native()
    expects_rate(f([x])[0], 0.5)
    native("portable")
    f([x])
    assert len(f.programs) == 2 and [p.rng for p in f.programs.values()] == ["portable", "native"]
    twin, _ = ones_dropped(0.5, (20, 20))
    assert twin([x])[0].shape == plain.shape


def test_portable_draws_are_untouched_by_native_ones(each_backend):
    def drawn(between):
        kbackend.set_seed(4)
        draw = K.function([], [K.random_uniform((6,))])
        first = draw([])[0]
        between()
        return np.concatenate([first, draw([])[0]])

    def natively():
        native()
        K.eval(K.random_uniform((6,), seed=1))
        native("portable")

    assert drawn(lambda: None).tobytes() == drawn(natively).tobytes()


def test_initial_values_stay_portable(each_backend):
    def weights(kind):
        native(kind)
        kbackend.set_seed(6)
        model = kbackend.Sequential([kbackend.Input((4,)), layers.Dense(3)])
        return [w.tobytes() for w in model.get_weights()] + [K.random_normal_variable((3,), 0, 1).numpy().tobytes()]

    assert weights("native") == weights("portable")


def test_concrete_dropout_is_native_too(each_backend):
    values = []
    for kind in ("portable", "native"):
        native(kind)
        kbackend.set_seed(8)
        values.append(K.eval(K.dropout(K.eval(K.ones(SHAPE)), 0.5)))
    assert (values[0] != values[1]).any()
    expects_rate(values[1], 0.5)


def test_a_backend_without_native_kernels_draws_portably_and_says_so():
    changed = copy.copy(select.get_backend("numpy"))
    changed.native_kernels = {}
    model = kbackend.Sequential([kbackend.Input((4,)), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    lines = []
    with select.use_target(Target(changed, "cpu")):
        kbackend.set_seed(2)
        f, x = ones_dropped(0.5)
        portable = f([x])[0]
        native()
        assert modes.rng_of(changed) == "portable" and kbackend.rng() == "native"
        history = model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
        model.summary(print_fn=lines.append)
        kbackend.set_seed(2)
        f, x = ones_dropped(0.5)
        assert f([x])[0].tobytes() == portable.tobytes()
    assert history.rng == "portable"
    assert lines[-1] == "Random draws: portable; numpy has no native ones"


def test_each_kernel_that_draws_has_a_native_one(each_backend):
    backend = select.active_target().backend
    # draws by the place of a row are those of distributed runs, which refuse native numbers
    ops = [op for op in REGISTRY.values() if "op_id" in op.attributes and "row" not in op.operands]
    drawing = {op.name for op in ops} & set(backend.kernels)
    assert drawing == drawing & set(backend.native_kernels) and "random_bits" in drawing


def test_faults_of_native_tables_are_found():
    changed = copy.copy(select.get_backend("numpy"))
    changed.native_kernels = {"dropout": lambda x: x, "dice": lambda: 4}
    with pytest.raises(PluginError, match=r"(?s)2 faults.*the kernel of dropout.*the unknown op dice"):
        validate(changed, REGISTRY)
