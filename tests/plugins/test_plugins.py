"""Plugins from outside: discovery, loading, choice, and the errors of plugins that are not as they should be.

Each test installs small packages into a folder of its own as pip would (modules beside a ``*.dist-info``) and looks
at them from a new interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.outside import install, install_toy

ENGINES = {"torch", "tensorflow", "autograd", "keras"}

Run = Callable[..., str]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def run(site: Path, fresh_python: Run) -> Run:
    def with_site(code: str, **env: str) -> str:
        return fresh_python(code, env={"PYTHONPATH": str(site), **env})

    return with_site


def error_of(run: Run, code: str, **env: str) -> tuple[str, str]:
    """Type and text of the error that some code raises."""
    body = "\n    ".join(code.splitlines())
    printed = run(
        f"import json\ntry:\n    {body}\nexcept Exception as error:\n"
        "    print(json.dumps([type(error).__name__, str(error)]))\nelse:\n    print('null')", **env)
    found = json.loads(printed.splitlines()[-1])
    assert found is not None, "no error was raised"
    return found[0], found[1]


# ------------------------------------------------------------------------------------------------- the toy


def test_a_plugin_from_outside_is_listed_and_runs(site: Path, run: Run) -> None:
    install_toy(site)
    printed = run("""
import kbackend, numpy as np
from kbackend import K
print(kbackend.available_backends()[-1])
x, w = K.placeholder((None, 2)), K.variable([[1.0], [2.0]], name="w")
loss = K.sum(K.tanh(K.dot(x, w)))
(gradient,) = K.gradients(loss, [w])
(second,) = K.gradients(K.sum(gradient * gradient), [w])
step = K.function([x], [loss, gradient, second], updates=[(w, w - 0.1 * gradient)])
values = {}
for name in ("toy", "numpy"):
    K.set_value(w, [[1.0], [2.0]])
    with kbackend.use_backend(name):
        assert kbackend.backend() == name
        for _ in range(3):
            outputs = step([[[0.1, 0.2], [0.3, -0.4]]])
        values[name] = [*outputs, K.get_value(w)]
assert all(np.allclose(a, b, rtol=1e-6) for a, b in zip(values["toy"], values["numpy"]))
with kbackend.use_backend("toy"):
    found = K.tanh(np.array([0.5]))
    print(type(found).__name__)
with kbackend.use_backend("numpy"):
    print(type(K.exp(found)).__name__)
""")
    assert printed.split() == ["toy", "Toy", "ndarray"]


def test_a_kernel_that_a_plugin_lacks_is_named_with_the_reason(site: Path, run: Run) -> None:
    install_toy(site)
    code = "from kbackend import K\nK.sin([1.0])"
    kind, text = error_of(run, code, KBACKEND="toy")
    assert kind == "MissingKernel"
    assert text == "sin is not available on the backend toy (not_yet: the toy has a dozen kernels)"
    code = "from kbackend import K\nx = K.placeholder((2,))\nK.function([x], [K.sin(x)])([[0.0, 1.0]])"
    assert error_of(run, code, KBACKEND="toy") == (kind, text)


def test_the_conformance_kit_runs_on_a_plugin(site: Path, tmp_path: Path) -> None:
    install_toy(site)
    env = {k: v for k, v in os.environ.items() if not k.startswith("KBACKEND")} | {"PYTHONPATH": str(site)}
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "kbackend.testing.suite", "--kbackend", "toy", "-q",
         "-p", "no:cacheprovider", f"--junitxml={report}",
         "-k", "toy and not fixed"],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-6000:]
    assert "toy: " in text and "comparisons" in text, text[-3000:]
    written = report.read_text()
    assert 'name="test_op[toy-tanh-float64]"' in written
    assert "not_yet: the toy has a dozen kernels" in written


# ------------------------------------------------------------------------------------------------- faults

HEADER = """
from kbackend.plugin.contract import Backend, Tape
from kbackend.plugin.discover import engine
from kbackend.plugin.gaps import not_yet
"""


def test_all_faults_of_a_plugin_are_listed_in_one_error(site: Path, run: Run) -> None:
    install(site, "faulty-backend", "faulty", HEADER + """
class Faulty(Backend):
    name = "faulty"
    kernels = {"tanh": lambda: None, "add": lambda x, y: x, "invented": lambda x: x, "exp": lambda x: x}
    gaps = {"exp": not_yet("it is there"), "imagined": not_yet("it is not there")}

def backend():
    return Faulty()
""")
    kind, text = error_of(run, "import kbackend\nkbackend.set_backend('faulty')")
    assert kind == "PluginError"
    lines = text.splitlines()
    assert lines[0].startswith("the backend faulty cannot be used; ")
    assert int(lines[0].split()[-2]) == len(lines) - 1 > 50
    for wanted in (
        "the kernel of tanh",
        "a kernel for the unknown op invented",
        "exp has a kernel and is declared absent",
        "a gap for the unknown op imagined",
        "no kernel and no declared gap for the primitive sum(",
    ):
        assert any(wanted in line for line in lines), wanted
    assert not any(" of add" in line or "primitive add" in line for line in lines)


def test_two_packages_that_claim_one_name_are_an_error(site: Path, run: Run) -> None:
    install_toy(site)
    install(site, "other-toy", "toy", "def backend():\n    raise AssertionError\n")
    kind, text = error_of(run, "import kbackend\nkbackend.set_backend('toy')")
    assert kind == "BackendError"
    assert "two packages claim the backend name 'toy'" in text
    assert "toy-backend (toy_backend:backend)" in text and "other-toy (other_toy:backend)" in text
    assert "uninstall one of them" in text


def test_a_missing_engine_gives_the_command_that_installs_it(site: Path, run: Run) -> None:
    install(site, "far-backend", "far", HEADER + """
@engine(module="an_engine_that_nobody_has", install="pip install an-engine")
def backend():
    import an_engine_that_nobody_has
""")
    kind, text = error_of(run, "import kbackend\nassert 'far' not in kbackend.available_backends()\n"
                               "kbackend.set_backend('far')")
    assert kind == "BackendError"
    assert "needs the package an_engine_that_nobody_has, which is not installed" in text
    assert "\n    pip install an-engine\n" in text
    assert "available now: " in text and "numpy" in text


def test_an_engine_that_is_broken_at_import_says_so(site: Path, run: Run) -> None:
    (site / "broken_engine.py").write_text("raise OSError('libbroken.so: cannot open shared object file')")
    install(site, "broken-backend", "broken", HEADER + """
@engine(module="broken_engine", install="pip install broken-engine")
def backend():
    import broken_engine
""")
    kind, text = error_of(run, "import kbackend\nkbackend.set_backend('broken')")
    assert kind == "BackendError"
    assert text == ("the engine of the backend 'broken' fails at import: "
                    "OSError: libbroken.so: cannot open shared object file")


def test_a_plugin_that_cannot_be_imported_hides_no_other(site: Path, run: Run) -> None:
    install(site, "sick-backend", "sick", "import a_module_that_is_gone\n")
    kind, text = error_of(run, "import kbackend\nassert 'sick' not in kbackend.available_backends()\n"
                               "assert 'numpy' in kbackend.available_backends()\nkbackend.set_backend('sick')")
    assert kind == "BackendError"
    assert "the plugin of the backend 'sick' (sick-backend (sick_backend:backend)) cannot be imported" in text
    assert "No module named 'a_module_that_is_gone'" in text


# ------------------------------------------------------------------------------------------------- choice

SAY = "import kbackend\nfrom kbackend.plugin.select import active_target\nprint(active_target().key)"


def test_the_order_of_choices(site: Path, run: Run, tmp_path: Path) -> None:
    install_toy(site)
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "config.json").write_text('{"backend": "toy", "device": "cuda:1"}')
    home = {"KBACKEND_HOME": str(folder)}
    assert run(SAY, KBACKEND="toy").strip() == "toy:cpu"
    assert run(SAY, KBACKEND="toy", KBACKEND_DEVICE="cuda:1").strip() == "toy:cuda:1"
    assert run(SAY, **home).strip() == "toy:cuda:1"
    assert run(SAY, **home, KBACKEND="numpy", KBACKEND_DEVICE="cpu").strip() == "numpy:cpu"
    printed = run("""
import kbackend
from kbackend import K
from kbackend.plugin.select import active_target
kbackend.set_backend("toy")
kbackend.set_device("cuda:1")
print(active_target().key)
with kbackend.use_backend("numpy"):
    print(active_target().key)
    with kbackend.use_backend("toy", "cpu"):
        print(active_target().key)
    print(active_target().key)
with K.device("cpu"):
    print(active_target().key)
print(active_target().key)
""", KBACKEND="numpy")
    assert printed.split() == ["toy:cuda:1", "numpy:cpu", "toy:cpu", "numpy:cpu", "toy:cpu", "toy:cuda:1"]


def test_what_is_not_there_is_answered_with_what_is(site: Path, run: Run) -> None:
    install_toy(site)
    kind, text = error_of(run, SAY, KBACKEND="caffe")
    assert kind == "BackendError"
    assert "KBACKEND asks for the unknown backend 'caffe'" in text and "toy" in text and "numpy" in text
    kind, text = error_of(run, SAY, KBACKEND="toy", KBACKEND_DEVICE="cuda:7")
    assert kind == "DeviceError"
    assert text == "the backend toy has no device 'cuda:7'; it has cpu, cuda:1"
    kind, text = error_of(run, "import kbackend\nkbackend.set_device('cuda:0')", KBACKEND="toy")
    assert (kind, text) == ("DeviceError", "the backend toy has no device 'cuda:0'; it has cpu, cuda:1")


# ------------------------------------------------------------------------------------------------- imports

LOADED = f"import sys\nprint(sorted(set({sorted(ENGINES)!r}) & sys.modules.keys()))"


def test_importing_kbackend_and_building_a_graph_imports_no_engine(run: Run) -> None:
    code = """
import kbackend
from kbackend import K
kbackend.available_backends()
x = K.placeholder((None, 3))
w = K.variable([[1.0], [2.0], [3.0]])
loss = K.mean(K.square(K.dot(x, w)))
f = K.function([x], [loss], updates=[(w, w - K.gradients(loss, [w])[0])])
str(f.graph), f.graph.to_json()
"""
    assert run(code + LOADED).strip() == "[]"


@pytest.mark.parametrize("name", ["toy", "numpy"])
def test_only_the_chosen_backend_is_imported(site: Path, run: Run, name: str) -> None:
    install_toy(site)
    code = "from kbackend import K\nK.eval(K.tanh(K.constant([1.0])))\nimport sys\n"
    code += "print('kbackend_numpy.engine' in sys.modules, 'toy_backend.engine' in sys.modules)\n"
    printed = run(code + LOADED, KBACKEND=name).splitlines()
    assert printed[0].split() == (["False", "True"] if name == "toy" else ["True", "False"])
    assert printed[1] == ("[]" if name == "toy" else "['autograd']")


@pytest.mark.engine("torch")
def test_torch_alone_is_imported_where_it_is_chosen(run: Run) -> None:
    code = "from kbackend import K\nK.eval(K.tanh(K.constant([1.0])))\n"
    assert "torch" in (found := run(code + LOADED, KBACKEND="torch")) and "tensorflow" not in found


@pytest.mark.engine("tensorflow")
def test_tensorflow_alone_is_imported_where_it_is_chosen(run: Run) -> None:
    code = "from kbackend import K\nK.eval(K.tanh(K.constant([1.0])))\n"
    assert "tensorflow" in (found := run(code + LOADED, KBACKEND="tensorflow")) and "torch" not in found
