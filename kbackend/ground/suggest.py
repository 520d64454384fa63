"""Names that come close to a wrong one, for messages that ask "Did you mean ...?"."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

#: what NumPy, TensorFlow and PyTorch call things that have another name here; the first name that is known counts
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "absolute": ("abs",),
    "amax": ("max",),
    "amin": ("min",),
    "assign": ("update",),
    "assign_add": ("update_add",),
    "assign_sub": ("update_sub",),
    "batchnorm": ("BatchNormalization", "batch_normalization"),
    "batchnorm1d": ("BatchNormalization",),
    "batchnorm2d": ("BatchNormalization",),
    "bce": ("binary_crossentropy",),
    "bceloss": ("BinaryCrossentropy",),
    "bmm": ("batch_dot",),
    "cat": ("concatenate",),
    "clamp": ("clip",),
    "clip_by_value": ("clip",),
    "concat": ("concatenate", "Concatenate"),
    "cross_entropy": ("categorical_crossentropy",),
    "crossentropyloss": ("CategoricalCrossentropy",),
    "fc": ("Dense",),
    "fullyconnected": ("Dense",),
    "l1loss": ("MeanAbsoluteError",),
    "layernorm": ("LayerNormalization",),
    "linear": ("linear", "Dense"),
    "matmul": ("dot",),
    "maxpool2d": ("MaxPooling2D",),
    "mm": ("dot",),
    "mseloss": ("MeanSquaredError",),
    "mul": ("multiply",),
    "nll_loss": ("sparse_categorical_crossentropy",),
    "permute": ("permute_dimensions", "transpose"),
    "power": ("pow",),
    "range": ("arange",),
    "reduce_all": ("all",),
    "reduce_any": ("any",),
    "reduce_logsumexp": ("logsumexp",),
    "reduce_max": ("max",),
    "reduce_mean": ("mean",),
    "reduce_min": ("min",),
    "reduce_prod": ("prod",),
    "reduce_std": ("std",),
    "reduce_sum": ("sum",),
    "reduce_variance": ("var",),
    "rms_prop": ("rmsprop", "RMSprop"),
    "sub": ("subtract",),
    "true_divide": ("divide",),
    "unsqueeze": ("expand_dims",),
    "view": ("reshape",),
    "where": ("switch",),
}


def closest(name: Any, known: Iterable[str]) -> str | None:
    """The known name that is most probably meant, None when none comes close.

    >>> closest("Dens", ["Dense", "Dot"]), closest("reduce_mean", ["mean", "max"]), closest("zzz", ["mean"])
    ('Dense', 'mean', None)
    """
    if not isinstance(name, str):
        return None
    names = list(known)
    same = counterpart(name, names)
    if same is not None:
        return same
    spellings: dict[str, list[str]] = {}
    for other in names:
        spellings.setdefault(other.lower(), []).append(other)
    from difflib import get_close_matches  # late: mistakes alone need it

    found = get_close_matches(name.lower(), spellings, n=1)
    return get_close_matches(name, spellings[found[0]], n=1, cutoff=0.0)[0] if found else None


def counterpart(name: str, known: Iterable[str]) -> str | None:
    """The known name of what another library calls ``name``, None when it has none.

    >>> counterpart("reduce_mean", ["mean", "means"]), counterpart("meann", ["mean"])
    ('mean', None)
    """
    return next((other for other in (name, *ELSEWHERE.get(name.lower(), ())) if other in known), None)


def did_you_mean(name: Any, known: Iterable[str], prefix: str = "") -> str:
    """A question for the end of a message, with a space in front; empty when no known name comes close.

    >>> did_you_mean("Dens", ["Dense", "Dot"])
    " Did you mean 'Dense'?"
    """
    found = closest(name, known)
    return "" if found is None else f" Did you mean {f'{prefix}{found}' if prefix else repr(found)}?"


class MissingName(AttributeError):
    """A name that is not there. The hint is looked for when the message is read, as ``hasattr`` never reads it.

    Args:
        text: the message.
        name: the name.
        known: gives the names that are there.
    """

    def __init__(self, text: str, name: str, known: Callable[[], Iterable[str]]) -> None:
        super().__init__(text, name=name)
        self._wrong, self._known = name, known

    def __str__(self) -> str:
        hint = "" if self._wrong.startswith("_") else did_you_mean(self._wrong, self._known())
        return f"{self.args[0]}{hint and '.'}{hint}"

    def __reduce__(self) -> Any:
        return AttributeError, (str(self),)


def missing(module: str, name: str, known: Callable[[], Iterable[str]]) -> MissingName:
    """The error for a name that a module does not have."""
    return MissingName(f"module {module!r} has no attribute {name!r}", name, known)


class Suggesting(ModuleType):
    """A module that suggests names when one is missing."""

    def __getattr__(self, name: str) -> Any:
        own = vars(self)
        raise missing(self.__name__, name, lambda: own.get("__all__") or [n for n in own if not n.startswith("_")])


def suggest_in(module: str) -> None:
    """Make a loaded module suggest names."""
    sys.modules[module].__class__ = Suggesting


__all__ = ["MissingName", "Suggesting", "closest", "counterpart", "did_you_mean", "missing", "suggest_in"]
