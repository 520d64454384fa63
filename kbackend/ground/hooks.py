"""Functions that a floor calls and a floor above supplies.

A module may only import what lies below it. Where it must call upwards (a concrete call of an op needs a backend, a
tensor that turns itself into a number needs a program), it calls a hook. :mod:`kbackend` supplies all of them, by
module and name, before anything else is imported; a module is imported at the hook's first call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


class Hook:
    """A function whose module is imported at its first call.

    >>> root = Hook("square root")
    >>> root.supply("math:sqrt")
    >>> root(9.0)
    3.0
    """

    __slots__ = ("_function", "_purpose", "_where")

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self._where: str | None = None
        self._function: Callable[..., Any] | None = None

    def supply(self, where: str) -> None:
        """Name the function as ``module:attribute``."""
        self._where, self._function = where, None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self._function or self.load()
        return function(*args, **kwargs)

    def load(self) -> Any:
        """Import the module and return what was named in it."""
        if self._where is None:
            raise RuntimeError(f"no function was supplied for: {self._purpose}")
        module, _, attribute = self._where.partition(":")
        self._function = getattr(importlib.import_module(module), attribute)
        return self._function


call_op = Hook("the call of an op (op, operands, attributes)")
run_concrete = Hook("the result of a concrete call (declaration, function, arguments)")
run_op = Hook("the result of a concrete call (declaration, operands, attributes)")
declared_ops = Hook("all declared ops by name")
owner_of = Hook("the loaded backend whose tensor a value is, or None")
evaluate = Hook("the value of a symbolic tensor without placeholders")
take_metric = Hook("what a metric is called on, kept for the call of a layer that is running (metric, args, kwargs)")
truth = Hook("the truth value of a constant symbolic tensor, or None")
graph_from_json = Hook("the graph of a JSON text")
graph_to_json = Hook("a graph as JSON text")
layer_classes = Hook("the classes of layers by name")
model_classes = Hook("the classes of models by the names that configurations have for them")
