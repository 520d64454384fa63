"""A graph as Python text: one line a node."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kbackend.graph.tensor import Tensor

if TYPE_CHECKING:
    from kbackend.graph.node import Node
    from kbackend.graph.walk import Graph


def identifier(name: str) -> str:
    """A Python identifier that resembles ``name``."""
    text = re.sub(r"\W", "_", name)
    return f"_{text}" if not text or text[0].isdigit() or keyword.iskeyword(text) else text


class Names:
    """Gives each tensor one identifier of its own."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}
        self._counts: dict[str, int] = {}

    def __call__(self, tensor: Tensor) -> str:
        if id(tensor) not in self._of:
            self._of[id(tensor)] = self._unused(identifier(tensor.name))
        return self._of[id(tensor)]

    def _unused(self, base: str) -> str:
        """The name, or the name with the next number that no other one has."""
        count = self._counts.get(base, 0) + 1
        name = base if count == 1 else f"{base}_{count}"
        while name in self._counts:
            count += 1
            name = f"{base}_{count}"
        self._counts[base] = count
        if name != base:
            self._counts[name] = 1
        return name


def argument_text(arg: Any, names: Any) -> str:
    if isinstance(arg, Tensor):
        return names(arg)
    if isinstance(arg, (tuple, list)):
        return "[" + ", ".join(argument_text(a, names) for a in arg) + "]"
    return repr(arg)


def attribute_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        body = np.array2string(value, separator=", ", threshold=8).replace("\n", "")
        return f"array({body}, {value.dtype})"
    if hasattr(value, "results") and hasattr(value, "inputs"):
        return f"<graph {value.name}: {len(value.nodes())} nodes>"
    return repr(value)


def node_line(node: Node, names: Any = None) -> str:
    """``y = op(x, attr=value)  # dtype[shape]``"""
    names = names or Names()
    parts = [argument_text(a, names) for a in node.args]
    parts += [f"{key}={attribute_text(value)}" for key, value in node.attrs.items() if key != "name"]
    left = ", ".join(names(t) for t in node.outputs)
    specs = ", ".join(str(t.spec) for t in node.outputs)
    return f"{left} = {node.op.name}({', '.join(parts)})  # {specs}"


def graph_source(graph: Graph) -> str:
    """The graph as a Python function.

    >>> from kbackend import K
    >>> from kbackend.graph.walk import Graph
    >>> x = K.placeholder((None, 2), name="x")
    >>> print(Graph([x], [K.tanh(x)], name="f"))  # doctest: +ELLIPSIS
    def f(x):  # float32[?, 2]
        tanh_... = tanh(x)  # float32[?, 2]
        return tanh_...
    """
    names = Names()
    heads = ", ".join(names(t) for t in graph.inputs)
    specs = ", ".join(str(t.spec) for t in graph.inputs)
    lines = [f"def {identifier(graph.name)}({heads}):" + (f"  # {specs}" if specs else "")]
    lines += [f"    {node_line(node, names)}" for node in graph.nodes()]
    lines += [f"    update({names(variable)}, {names(value)})" for variable, value in graph.updates]
    lines.append(f"    return {', '.join(names(t) for t in graph.outputs)}")
    return "\n".join(lines)
