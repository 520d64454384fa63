"""All layers, a folder or file a family; each module lists its public names in ``__all__``."""

from __future__ import annotations

from importlib import import_module as _import_module
from threading import RLock as _RLock
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING
from typing import Any as _Any

from kbackend.ground.collector import collector_at_rest as _collector_at_rest
from kbackend.ground.suggest import suggest_in as _suggest_in

with _collector_at_rest(lasting=True):
    from kbackend.layers.activation import *
    from kbackend.layers.base.input import Input, InputLayer
    from kbackend.layers.base.layer import Layer
    from kbackend.layers.base.serialization import deserialize, serialize
    from kbackend.layers.base.spec import InputSpec
    from kbackend.layers.convolution import *
    from kbackend.layers.core import *
    from kbackend.layers.legacy import *
    from kbackend.layers.merge import *
    from kbackend.layers.normalization import *
    from kbackend.layers.pooling import *
    from kbackend.layers.regularization import *
    from kbackend.layers.reshaping import *
    from kbackend.layers.spellings import accept as _accept
    from kbackend.layers.wrapper import *

if TYPE_CHECKING:
    from kbackend.layers.attention import *
    from kbackend.layers.preprocessing import *
    from kbackend.layers.recurrent import *

#: families that are imported when no other one has a name: they take as much memory as all others
_late = ["recurrent", "attention", "preprocessing"]
_lock = _RLock()


def __getattr__(name: str) -> _Any:
    """A name of a family that was not imported yet."""
    if not name.startswith("_"):
        with _lock:
            while name not in globals() and _late:
                _import_next()
        if name in globals():
            return globals()[name]
    elif name == "__all__":  # of ``from kbackend.layers import *``
        return [n for n in __dir__() if not n.startswith("_") and callable(globals()[n])]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    with _lock:
        while _late:
            _import_next()
    return sorted(globals())


def _import_next() -> None:
    """Import the next of the late families, with the names of its layers."""
    next_one = _late[0]
    family = vars(_import_module(f"{__name__}.{next_one}"))
    for name, value in family.items():
        if not name.startswith("_") and not isinstance(value, _ModuleType):
            globals().setdefault(name, value)  # a program may have set the name
    _late[:] = [name for name in _late if name != next_one]


def built_in() -> dict[str, type[Layer]]:
    """The classes of layers by name.

    >>> from kbackend import layers
    >>> layers.built_in()["Dense"]
    <class 'kbackend.layers.core.dense.Dense'>
    """
    return {name: globals()[name] for name in __dir__() if _is_layer(globals()[name])}


def _is_layer(value: _Any) -> bool:
    return isinstance(value, type) and issubclass(value, Layer)


def _forget_modules() -> None:
    """Remove the modules of families, which ``import *`` brings along with their names."""
    for name, value in list(globals().items()):
        if isinstance(value, _ModuleType) and value.__name__ != f"{__name__}.{name}":
            del globals()[name]


_forget_modules()
_accept({name: value for name, value in globals().items() if _is_layer(value)})
_suggest_in(__name__)
