"""``kbackend.set_deterministic``. TensorFlow cannot be switched back, so whatever touches it runs in a process of its
own.
"""

import json

import pytest

import kbackend
from kbackend.plugin import modes, select

TRAIN_TWICE = """
import hashlib, json, sys
import numpy as np
import kbackend
from kbackend import layers

def trained():
    kbackend.set_seed(11)
    model = kbackend.Sequential([
        kbackend.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.4),
        layers.Flatten(), layers.Dense(16, activation="tanh"), layers.Dropout(0.2), layers.Dense(3),
    ])
    model.compile("adam", "mse")
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=(96, 8, 8, 1)).astype("f"), draws.normal(size=(96, 3)).astype("f")
    before = [w.copy() for w in model.get_weights()]
    model.fit(x, y, batch_size=16, epochs=3, verbose=0)
    after = model.get_weights()
    assert all((a != b).any() for a, b in zip(after, before))
    return [w.tobytes() for w in after]

first, second = trained(), trained()
print(json.dumps({
    "on": kbackend.is_deterministic(), "equal": first == second, "weights": len(first),
    "digest": hashlib.sha256(b"".join(first)).hexdigest(),
}))
"""

# Kernels that the engines refuse in deterministic mode on the CPU too: torch's put_, and TensorFlow's random numbers
# without a seed. NumPy has none, least of all in gradients; its kernel raises what an engine would.
REFUSED = """
import copy, json
import numpy as np
import kbackend
from kbackend import K
from kbackend.plugin import select
from kbackend.plugin.contract import Target

name = {name!r}
if name == "torch":
    import torch

    def forward(x):
        return x.clone().put_(torch.tensor([0]), torch.tensor([1.0]))

    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, gradient):
            return forward(gradient)

    backward = Straight.apply
elif name == "tensorflow":
    import tensorflow as tf

    def forward(x):
        return x + tf.raw_ops.RandomUniform(shape=tf.shape(x), dtype=x.dtype, seed=0, seed2=0)

    @tf.custom_gradient
    def backward(x):
        return x * 1.0, forward
else:
    def forward(x):
        if kbackend.is_deterministic():
            raise RuntimeError("the sum in parallel is not deterministic")
        return x

    backward = None


def tell(run):
    try:
        run()
    except modes.NotDeterministicError as error:
        return [error.op, error.node, error.reason, str(error)]
    return "ran"


from kbackend.plugin import modes
told = {{}}
with select.use_target(select.target(name)):
    x = K.placeholder((None,), name="x")
    v = K.variable(np.ones(3))
    y = K.sin(v * x)
    value = np.ones(3, "float32")
    rows = K.map_fn(lambda row: K.sin(row) * 2.0, K.stack([x, x]))
    gradient = K.gradients(K.sum(y), [v])[0]
    cases = {{
        "forward": (forward, lambda: K.function([x], [y], name="mine"), y.node.name),
        "body": (forward, lambda: K.function([x], [rows], name="mine"), None),
        "backward": (backward, lambda: K.function([x], [gradient], [(v, v - gradient)], name="mine"), y.node.name),
    }}
    made = []
    for case, (kernel, make, node) in cases.items():
        if kernel is None:
            continue
        changed = copy.copy(select.get_backend(name))
        changed.kernels = {{**changed.kernels, "sin": kernel}}
        target = Target(changed, "cpu")
        with select.use_target(target):
            made.append((case, target, make(), node))
    runs = {{}}
    for case, target, f, node in made:
        with select.use_target(target):
            f([value])  # the program is made before the switch
    kbackend.set_deterministic(True)
    before = K.get_value(v).tolist()
    for case, target, f, node in made:
        with select.use_target(target):
            runs[case] = [node, tell(lambda: f([value]))]
            if case == "forward":
                runs["concrete"] = [None, tell(lambda: K.sin(value))]
    with select.use_target(select.target(name)):
        runs["another op"] = [None, tell(lambda: K.function([x], [K.cos(x)])([value]))]
runs["unchanged"] = before == K.get_value(v).tolist()
print(json.dumps(runs))
"""

SAYS = {"numpy": "the sum in parallel", "torch": "put_ does not have", "tensorflow": "When determinism is enabled"}


@pytest.fixture(scope="module")
def by_the_variable():
    """Engine -> what a process printed that the environment made deterministic."""
    return {}


@pytest.fixture
def train_twice(fresh_python, by_the_variable):
    def run(name):
        if name not in by_the_variable:
            env = {"KBACKEND": name, "KBACKEND_DETERMINISTIC": "1"}
            by_the_variable[name] = json.loads(fresh_python(TRAIN_TWICE, env))
        return by_the_variable[name]

    return run


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.engine(n)) for n in SAYS])
def test_two_trainings_agree_bit_for_bit(train_twice, name):
    found = train_twice(name)
    assert found["on"] is True and found["equal"] is True and found["weights"] == 6


@pytest.mark.engine("torch")
def test_two_processes_agree_bit_for_bit(train_twice, fresh_python):
    """One that the environment made deterministic, and one that a call did."""
    called = fresh_python("import kbackend; kbackend.set_deterministic()\n" + TRAIN_TWICE, {"KBACKEND": "torch"})
    runs = [train_twice("torch"), json.loads(called)]
    assert runs[0]["on"] and runs[0] == runs[1]


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.engine(n)) for n in SAYS])
def test_an_op_that_cannot_be_deterministic_is_named(fresh_python, name):
    runs = json.loads(fresh_python(REFUSED.format(name=name)))
    assert runs.pop("another op") == [None, "ran"]
    assert runs.pop("unchanged") is True  # a refused call changes no variable
    assert sorted(runs) == ["backward"] * (name != "numpy") + ["body", "concrete", "forward"]
    for case, (node, (op, told_node, reason, text)) in runs.items():
        assert op == "sin" and SAYS[name] in reason and SAYS[name] in text and f"on {name}:cpu" in text, case
        if case == "concrete":
            assert told_node is None
            continue
        assert told_node == node or case == "body" and told_node.startswith("sin"), case
        assert f"(the node {told_node!r} of mine)" in text
        assert ("the gradient of sin" in text) == (case == "backward")


def test_no_engine_is_imported(fresh_python):
    found = fresh_python(
        "import sys, kbackend\n"
        "kbackend.set_deterministic(); kbackend.set_rng('native')\n"
        "print(kbackend.is_deterministic(), kbackend.rng(), {'torch', 'tensorflow', 'numpy'} & set(sys.modules))\n"
        "kbackend.set_deterministic(False); print(kbackend.is_deterministic())"
    )
    assert found.split("\n")[:2] == ["True native set()", "False"]


@pytest.mark.engine("torch")
def test_torch_is_switched_when_it_is_loaded_and_back(fresh_python):
    found = fresh_python(
        "import kbackend\n"
        "kbackend.set_deterministic()\n"
        "import os, torch\n"
        "torch.backends.cudnn.benchmark = True\n"
        "show = lambda: print(torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark)\n"
        "show(); kbackend.set_backend('torch'); show(); print(os.environ['CUBLAS_WORKSPACE_CONFIG'])\n"
        "kbackend.set_deterministic(False); show(); kbackend.set_deterministic(True); show()\n"
    )
    assert found.splitlines() == ["False True", "True False", ":4096:8", "False True", "True False"]


@pytest.mark.engine("torch")
def test_torch_keeps_what_its_user_chose(fresh_python):
    found = fresh_python(
        "import kbackend, torch\n"
        "torch.use_deterministic_algorithms(True)\n"
        "kbackend.set_backend('torch'); kbackend.set_deterministic(False)\n"
        "print(torch.are_deterministic_algorithms_enabled())"
    )
    assert found == "True\n"


@pytest.mark.engine("tensorflow", "torch")
def test_tensorflow_cannot_be_switched_back(fresh_python):
    found = fresh_python(
        "import kbackend\n"
        "kbackend.set_backend('torch'); kbackend.set_backend('tensorflow')\n"
        "kbackend.set_deterministic(False)\n"
        "kbackend.set_deterministic(True)\n"
        "import torch\n"
        "try:\n"
        "    kbackend.set_deterministic(False)\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
        "print(kbackend.is_deterministic(), torch.are_deterministic_algorithms_enabled())"
    )
    assert "backend tensorflow was made deterministic and cannot be switched back" in found
    assert found.splitlines()[-1] == "True True"  # all or nothing


@pytest.mark.engine("tensorflow")
def test_a_wrong_label_is_the_same_error(fresh_python):
    found = fresh_python(
        "import kbackend, numpy as np\n"
        "from kbackend import K\n"
        "y, x = K.placeholder((None,), dtype='int32'), K.placeholder((None, 3))\n"
        "f = K.function([y, x], [K.sparse_categorical_crossentropy(y, x, from_logits=True)])\n"
        "for on in (False, True):\n"
        "    kbackend.set_deterministic(on)\n"
        "    try:\n"
        "        f([np.array([0, 3]), np.ones((2, 3))])\n"
        "    except ValueError as error:\n"
        "        print(error)\n",
        {"KBACKEND": "tensorflow"},
    )
    first, second = found.splitlines()
    assert first == second and first.endswith("(label_crossentropy): the label 3 is not in [0, 3)")


@pytest.mark.parametrize(
    ("variable", "file", "on"),
    [
        ("1", None, True),
        ("0", {"deterministic": True}, False),
        (None, {"deterministic": True}, True),
        (None, {}, False),
    ],
)
def test_the_environment_and_the_file(fresh_python, tmp_path, variable, file, on):
    if file is not None:
        (tmp_path / "config.json").write_text(json.dumps(file))
    env = {"KBACKEND_HOME": str(tmp_path)} | ({"KBACKEND_DETERMINISTIC": variable} if variable else {})
    assert fresh_python("import kbackend; print(kbackend.is_deterministic())", env) == f"{on}\n"


@pytest.mark.parametrize(
    ("env", "file", "says"),
    [
        ({"KBACKEND_DETERMINISTIC": "perhaps"}, {}, "KBACKEND_DETERMINISTIC must be 1 or 0, not 'perhaps'"),
        ({"KBACKEND_RNG": "fast"}, {}, "KBACKEND_RNG must be 'portable' or 'native', not 'fast'"),
        ({}, {"deterministic": 1}, "must be true or false, not 1"),
        ({}, {"rng": "fast"}, "must be 'portable' or 'native', not 'fast'"),
    ],
)
def test_wrong_settings_are_refused_with_their_source(monkeypatch, tmp_path, env, file, says):
    (tmp_path / "config.json").write_text(json.dumps(file))
    for name, value in {"KBACKEND_HOME": str(tmp_path), **env}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=says) as caught:
        modes._Modes().read()
    assert env or "config.json" in str(caught.value)


def test_other_errors_stay_as_they_are(monkeypatch):
    from kbackend import K

    monkeypatch.setattr(modes.modes, "deterministic", True)
    with kbackend.use_backend("numpy"):
        backend = select.active_target().backend
        assert modes.reason_of(RuntimeError("a determinant of zero"), backend) is None
        monkeypatch.setattr(backend, "kernels", {**backend.kernels, "sin": lambda x: [][1]})
        x = K.placeholder((2,))
        with pytest.raises(IndexError, match="list index"):
            K.function([x], [K.sin(x)])([[1.0, 2.0]])
