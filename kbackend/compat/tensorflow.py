"""A stand-in for ``tensorflow`` in programs that use its ``keras`` alone.

The engine TensorFlow, where it is installed and chosen, imports the real one in the same process. So the stand-in is
in no table of modules: the ``import`` of programs finds it, that of engines and of what they bring along does not.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

from kbackend.compat.modules import ROOT, NotCovered
from kbackend.compat.switching import Undo
from kbackend.ground.suggest import counterpart

NAME = "tensorflow"
#: a version whose tf.keras was Keras 2.3's
VERSION = "2.1.0"
#: packages whose imports mean the real TensorFlow
_REAL = frozenset({"tensorflow", "tensorboard", "torch", "keras", "kbackend", "onnx", "onnxruntime", "jax", "google"})
_PYTHON = f"{NAME}.python"
_PREFIXES = (f"{_PYTHON}.{ROOT}", f"{NAME}.{ROOT}")
_INSTEAD: Mapping[str, str] = {
    "Session": "leave sessions out; K.function, K.eval and models run by themselves",
    "ConfigProto": "leave it out; kbackend.set_device and kbackend.set_threads choose devices and threads",
    "GPUOptions": "leave it out",
    "config": "leave it out; kbackend.set_device and kbackend.set_threads choose devices and threads",
    "compat": "write what tensorflow.keras has; there are no sessions and no graphs to choose",
    "Graph": "leave it out; each K.function and model has its own graph",
    "get_default_graph": "leave it out; each K.function and model has its own graph",
    "global_variables_initializer": "leave it out; variables initialize themselves",
    "set_random_seed": "write kbackend.set_seed(n)",
    "random": "write kbackend.set_seed(n) for seeds, and K.random_uniform and its like for draws",
    "data": "give fit arrays, a generator or a keras.utils.Sequence",
    "GradientTape": "write K.gradients(loss, variables) in a K.function",
    "function": "leave the decorator out; graphs are compiled with model.compile(jit=True) or K.function(jit=True)",
    "Variable": "write K.variable(value)",
    "constant": "write K.constant(value)",
    "float32": "write 'float32'",
}


class StandIn(ModuleType):
    """``tensorflow`` or ``tensorflow.python`` with ``keras``, and an error that says what to do for any other name."""

    def __getattr__(self, name: str) -> Any:
        if name == ROOT:
            return importlib.import_module(ROOT)
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise NotCovered(refusal(f"{self.__name__}.{name}".removeprefix(f"{NAME}.")))


def refusal(name: str) -> str:
    """The message for a name of TensorFlow.

    >>> refusal("reduce_mean")[-55:]
    'is a stand-in here, which has keras alone; write K.mean'
    """
    advice = _INSTEAD.get(name)
    if advice is None:
        from kbackend import backend as K

        known = counterpart(name, [n for n in dir(K) if not n.startswith("_")])
        advice = f"write K.{known}" if known else "write it with names of tensorflow.keras or its backend"
    return f"{NAME}.{name} is not covered by kbackend: {NAME} is a stand-in here, which has keras alone; {advice}"


def stand_in() -> Undo:
    """Make ``import tensorflow``, and ``importlib.import_module`` and ``find_spec`` of it, mean the stand-in in
    programs; returns what undoes it."""
    module = _stand(NAME, __version__=VERSION)
    vars(module)["python"] = _stand(_PYTHON)
    before, before_module, before_spec = builtins.__import__, importlib.import_module, importlib.util.find_spec

    def found(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if level or _is_other(name):
            return before(name, globals, locals, fromlist or (), level)
        last = _module(module, name)
        if not fromlist:
            return module
        for each in fromlist:
            _check(last, name, each)
        return last

    def import_module(name: str, package: str | None = None) -> ModuleType:
        return before_module(name, package) if _is_other(name) else _module(module, name)

    def find_spec(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        if _is_other(name):
            return before_spec(name, package)
        try:
            return importlib.machinery.ModuleSpec(_module(module, name).__name__, None, is_package=True)
        except ImportError:
            return None

    builtins.__import__, importlib.import_module, importlib.util.find_spec = found, import_module, find_spec

    def undo() -> None:
        if builtins.__import__ is found:
            builtins.__import__ = before
        if importlib.import_module is import_module:
            importlib.import_module = before_module
        if importlib.util.find_spec is find_spec:
            importlib.util.find_spec = before_spec

    return undo


def _stand(name: str, **others: Any) -> StandIn:
    module = StandIn(name, f"``{name}`` with ``keras`` alone, by kbackend.")
    vars(module).update(others, __path__=[])
    return module


def _is_other(name: str) -> bool:
    """Whether a name is not of tensorflow, or the caller of the function that asks means the real one."""
    return name.partition(".")[0] != NAME or _means_the_real_one(sys._getframe(2))


def _means_the_real_one(frame: FrameType | None) -> bool:
    """Whether an import from a frame is one of an engine, or of code without a file that it has made."""
    while frame is not None and "__file__" not in frame.f_globals:
        frame = frame.f_back
    package = "" if frame is None else str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in _REAL or package.startswith(("kbackend_", "tensorflow_"))


def _module(stand: ModuleType, name: str) -> ModuleType:
    """The module of a name below the stand-in.

    Raises:
        ImportError: there is none.
    """
    if name in (NAME, _PYTHON):
        return stand if name == NAME else stand.python
    for prefix in _PREFIXES:
        if f"{name}.".startswith(f"{prefix}."):
            return importlib.import_module(ROOT + name[len(prefix) :])
    raise ImportError(refusal(name.partition(".")[2]), name=name)


def _check(module: ModuleType, shown: str, name: str) -> None:
    """Raise ImportError, with the reason, where a module does not have a name."""
    if name == "*":
        return
    try:
        getattr(module, name)
    except AttributeError as error:
        raise ImportError(str(error), name=f"{shown}.{name}") from None


__all__ = ["NAME", "StandIn", "refusal", "stand_in"]
