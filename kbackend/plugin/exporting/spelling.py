"""How values of an engine are written in a file of their own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kbackend import dtypes

#: the end of every loader
LOAD = '''

def load(path=None):
    """The model with the weights of a file; those beside this one when None."""
    arrays = load_file(path or Path(__file__).with_suffix(".safetensors"))
    ${constants}return Model(arrays)
'''


@dataclass(frozen=True)
class Argument:
    """The value of a call that is one of its arguments."""

    position: int


#: what calls give in the files of each engine, beside its own ``known_calls``
KNOWN_CALLS: Mapping[Any, Any] = {dtypes.met_bfloat16: Argument(0)}


@dataclass(frozen=True)
class Spelling:
    """How values of an engine are written in a file that has no kbackend.

    Attributes:
        modules: alias -> module that the file imports by it; names are looked for in these, in this order.
        known_calls: function -> what its calls give in the file: a constant, or an :class:`Argument`.
        numbers: kernel of a scalar -> function that gives the number instead of a tensor of it.
        takes_numbers: kernels that take numbers as well as tensors among their lists of scalars.
        replaced: gives the value that stands for another one in the file; most stand for themselves.
        special: gives the text of a value that no module has a name for, or None.
        array: gives the NumPy array of a tensor of the engine, or None for other values.
        decorated: gives the name of the decorator that made a value and the function that it got, or None.
        no_gradients: why a program cannot take gradients without kbackend; nothing where it can.
        loader: the text after the program, a template of :mod:`string`; see kbackend/saving/export/module.py.
        loads: the module of safetensors whose ``load_file`` the file uses.
        always: aliases that the loader uses.
        input: gives the text for the shape and dtype of an input.
        extras: name in that template -> function that it calls.
        reserved: names that no weight may have.
    """

    modules: Mapping[str, str]
    known_calls: Mapping[Any, Any] = field(default_factory=dict)
    numbers: Mapping[Any, Any] = field(default_factory=dict)
    takes_numbers: frozenset[Any] = frozenset()
    replaced: Callable[[Any], Any] = lambda value: value
    special: Callable[[Any], str | None] = lambda value: None
    array: Callable[[Any], Any] = lambda value: None
    decorated: Callable[[Any], Any] = lambda value: None
    no_gradients: str = ""
    loader: str = ""
    loads: str = "safetensors.numpy"
    always: tuple[str, ...] = ()
    input: Callable[[Any, str], str] = lambda shape, dtype: repr(dtype)
    extras: Mapping[str, Any] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()

    def spelled(self, value: Any) -> str | None:
        """The dotted name or other text of a value."""
        return _names(self).get(id(value)) or self.special(value)


_found: dict[int, tuple[Spelling, dict[int, str]]] = {}


def _names(spelling: Spelling) -> dict[int, str]:
    """id of a value -> its name in the modules, the first one."""
    if id(spelling) not in _found:
        names: dict[int, str] = {}
        for alias, module in spelling.modules.items():
            for name, value in vars(importlib.import_module(module)).items():
                if not name.startswith("_") and (callable(value) or type(value).__name__ == "dtype"):
                    names.setdefault(id(value), f"{alias}.{name}")
        _found[id(spelling)] = (spelling, names)
    return _found[id(spelling)][1]
