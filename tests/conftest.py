"""Which engines a test run has, and the fixtures that every folder uses; tests/README.md describes both."""

import atexit
import gc
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODULES = {"numpy": "numpy", "torch": "torch", "tensorflow": "tensorflow"}
SCOPES = ("all", "engines")
OWN_VARIABLES = ("KBACKEND_TEST_ENGINES", "KBACKEND_TEST_SCOPE", "KBACKEND_TEST_SLOW", "KBACKEND_EXPECT_INSTALLED")


def _forget_the_user() -> None:
    for name in list(os.environ):
        if name.startswith("KBACKEND") and name not in OWN_VARIABLES:
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="kbackend-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = os.environ["USERPROFILE"] = home
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


# Before kbackend is imported anywhere, because its configuration is read on import.
_forget_the_user()


def _installed() -> list[str]:
    return [engine for engine, module in MODULES.items() if importlib.util.find_spec(module)]


def _asked_for() -> list[str]:
    names = [name.strip() for name in os.environ.get("KBACKEND_TEST_ENGINES", "").split(",") if name.strip()]
    if unknown := [name for name in names if name not in MODULES]:
        raise pytest.UsageError(f"KBACKEND_TEST_ENGINES names {unknown}; the engines are {list(MODULES)}")
    if missing := [name for name in names if name not in _installed()]:
        raise pytest.UsageError(f"KBACKEND_TEST_ENGINES names {missing}, not installed for {sys.executable}")
    return names or _installed()


def _scope() -> str:
    scope = os.environ.get("KBACKEND_TEST_SCOPE", "all")
    if scope not in SCOPES:
        raise pytest.UsageError(f"KBACKEND_TEST_SCOPE is {scope!r}; it must be one of {SCOPES}")
    return scope


def _needed(item: pytest.Item) -> set[str]:
    return {name for mark in item.iter_markers("engine") for name in mark.args}


def pytest_report_header(config: pytest.Config) -> str:
    return f"engines: {', '.join(_asked_for())}; scope: {_scope()}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "each_backend" in metafunc.fixturenames:
        values = [pytest.param(name, marks=pytest.mark.engine(name)) for name in _asked_for()]
        metafunc.parametrize("each_backend", values, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    engines, scope = set(_asked_for()), _scope()
    kept, left_out = [], []
    for item in items:
        needed = _needed(item)
        if unknown := needed - MODULES.keys():
            raise pytest.UsageError(f"{item.nodeid}: engine {sorted(unknown)} is not in {list(MODULES)}")
        if len(needed - {"numpy"}) > 1:
            item.add_marker("together")
        # NumPy is in every environment; a restriction to torch only says that it need not be tested again.
        if missing := needed - engines - {"numpy"}:
            why = "not installed" if missing - set(_installed()) else "left out by KBACKEND_TEST_ENGINES"
            item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(sorted(missing))}: {why}"))
        (kept if _in_scope(needed & engines, scope) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_collection_finish() -> None:
    """Leave out of every later collection of garbage what was imported and collected, which lives until the end, and
    make collections rarer: they took 6% of the time of tests that make programs, and 4% so."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def past_left_alone() -> None:
    """Leave out of the collections of a file what the files before it keep, such as what the oracle computed: half a
    second of each at the end of a run of all tests, and the tests of growth make hundreds."""
    gc.collect()
    gc.freeze()


def _in_scope(concerned: set[str], scope: str) -> bool:
    return len(concerned) >= SCOPES.index(scope)


@pytest.fixture
def each_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an installed backend, which is the active one during the test."""
    import kbackend

    with kbackend.use_backend(request.param):
        yield request.param


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """That of ``each_backend`` in tests that have it, NumPy in all others; the active one during the test."""
    import kbackend

    name = request.getfixturevalue("each_backend") if "each_backend" in request.fixturenames else "numpy"
    with kbackend.use_backend(name):
        yield name


@pytest.fixture
def fresh_session() -> None:
    """Names count anew, and nothing is left of the graphs of earlier tests."""
    from kbackend import K

    K.clear_session()


@pytest.fixture
def fresh_python(tmp_path: Path) -> Callable[..., str]:
    """Runs code in a new interpreter, away from the checkout, and returns what it printed."""

    def run(code: str, env: Mapping[str, str] | None = None, timeout: float = 120) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=_variables(tmp_path, **(env or {})), cwd=tmp_path,
            timeout=timeout, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            report = f"the child exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
            pytest.fail(report, pytrace=False)
        return done.stdout

    return run


def _variables(home: Path, **env: str) -> dict[str, str]:
    variables = {k: v for k, v in os.environ.items() if k not in OWN_VARIABLES and k != "PYTHONPATH"}
    return variables | {"HOME": str(home), "USERPROFILE": str(home), **env}


@pytest.fixture(scope="session")
def bytecode_apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variable for children that import the checkout: its modules are compiled once in a run, and the bytecode is
    kept out of it."""
    return {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode"))}


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A process on NumPy that forks; None where the system does not."""
    if not hasattr(os, "fork"):
        yield None
        return
    from support.forks import Forks

    with Forks(_variables(tmp_path_factory.mktemp("home"), KBACKEND="numpy")) as process:
        yield process


@pytest.fixture
def forked_python(forks: Any, fresh_python: Callable[..., str], tmp_path: Path) -> Callable[[str], str]:
    """Runs code on NumPy as ``fresh_python`` does, for programs that may find kbackend imported: in a fork of a process
    that has, as that takes longer than most of them."""
    if forks is None:
        return lambda code: fresh_python(code, env={"KBACKEND": "numpy"})
    return lambda code: forks.run(code, tmp_path)


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Keras 3 on TensorFlow, the oracle of layers and ops."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return pytest.importorskip("keras", reason="keras is not installed")
