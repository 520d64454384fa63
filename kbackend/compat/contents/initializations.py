"""``keras.initializations`` of Keras 1: functions of a shape that give variables."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import initializers


def get(identifier: Any, **settings: Any) -> Any:
    """A function of (shape, name) that makes a variable.

    Args:
        identifier: the name of an initializer, or a function.
        settings: its arguments, such as ``scale``.

    >>> from kbackend import K
    >>> from kbackend.compat.contents import initializations
    >>> K.get_value(initializations.get("one")((2,))).tolist()
    [1.0, 1.0]
    """
    if callable(identifier) and not isinstance(identifier, type):
        return identifier
    settings.pop("dim_ordering", None)
    chosen = {"class_name": identifier, "config": _named(identifier, settings)} if settings else identifier
    initializer = initializers.get(chosen)

    def initial(shape: Any, name: str | None = None, **ignored: Any) -> Any:
        return K.variable(initializer(tuple(shape)), name=name)

    return initial


def _named(identifier: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The arguments of Keras 1 by the names that they have now."""
    if "scale" not in settings:
        return settings
    scale, others = settings["scale"], {k: v for k, v in settings.items() if k != "scale"}
    if identifier == "normal":
        return {"stddev": scale, **others}
    return {"minval": -scale, "maxval": scale, **others} if identifier == "uniform" else {"gain": scale, **others}


def uniform(shape: Any, scale: float = 0.05, name: str | None = None, dim_ordering: Any = None) -> Any:
    """A variable of draws from [-scale, scale)."""
    return get("uniform", scale=scale)(shape, name)


def normal(shape: Any, scale: float = 0.05, name: str | None = None, dim_ordering: Any = None) -> Any:
    """A variable of normal draws of a standard deviation."""
    return get("normal", scale=scale)(shape, name)


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not hasattr(initializers, name):
        raise AttributeError(f"keras.initializations has no {name!r} in kbackend")
    return get(name)


__all__ = ["get", "normal", "uniform"]
