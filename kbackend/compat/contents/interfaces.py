"""``keras.legacy.interfaces``: decorators that let functions take arguments of Keras 1.

Layers of kbackend take these themselves, so the decorators of layers change nothing. Those that programs put around
functions of their own, such as ``legacy_get_updates_support``, convert the arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kbackend.compat.switching import renamed

Function = Callable[..., Any]


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Sequence[tuple[str, str]] = (),
    preprocessor: Function | None = None,
    value_conversions: Mapping[str, Mapping[Any, Any]] | None = None,
    object_type: str = "class",
) -> Callable[[Function], Function]:
    """A decorator that makes a function take arguments under old names, and old values.

    Args:
        allowed_positional_args: ignored; all arguments may be given by position.
        conversions: pairs (old name, new name).
        preprocessor: takes (args, kwargs) first, and gives (args, kwargs, names that it converted).
        value_conversions: name -> old value -> new value.
        object_type: "class" where the function is a constructor; it changes nothing.

    >>> take = generate_legacy_interface(conversions=[("p", "rate")], value_conversions={"mode": {"old": "new"}})
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     take(lambda rate, mode: (rate, mode))(p=0.5, mode="old")
    (0.5, 'new')
    """
    values = value_conversions or {}

    def decorate(function: Function) -> Function:
        takes_old = renamed(function, dict(conversions or ()))

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if preprocessor is not None:
                args, kwargs, _ = preprocessor(args, kwargs)
            for name, table in values.items():
                if name in kwargs and kwargs[name] in table:
                    kwargs[name] = table[kwargs[name]]
            return takes_old(*args, **kwargs)

        return call

    return decorate


def legacy_get_updates_support(method: Function) -> Function:
    """Let ``get_updates(loss, params)`` be called as in Keras 1, ``get_updates(params, constraints, loss)``.

    Constraints are those of the weights.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 3:
            params, _, loss = args
            return method(self, loss=loss, params=params, **kwargs)
        kwargs.pop("constraints", None)
        return method(self, *args, **kwargs)

    return call


def _unchanged(function: Function) -> Function:
    return function


def __getattr__(name: str) -> Any:
    if name.startswith("legacy_") and name.endswith("_support"):
        return _unchanged
    raise AttributeError(f"keras.legacy.interfaces has no {name!r} in kbackend")


__all__ = ["generate_legacy_interface", "legacy_get_updates_support"]
