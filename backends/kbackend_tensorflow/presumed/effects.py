"""Whether a program may run again after a check of it has failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: type of operation -> whether it has a state or effects
_STATEFUL: dict[str, bool] = {}
#: stateful by declaration, and without effects
_READS = frozenset(("Assert", "NoOp", "ReadVariableOp", "ResourceGather", "ResourceGatherNd"))


def cannot_be_repeated(graph: Any, cells: Sequence[Any]) -> bool:
    """Whether a traced program has checks, and effects that do not wait for them: those of modules on variables of
    their own, draws from the engine's generators, and what prints or calls Python.

    Args:
        graph: the program.
        cells: the variables whose updates wait for the checks.
    """
    operations = graph.get_operations()
    if not any(operation.type == "Assert" for operation in operations):
        return False
    own = {id(cell.handle) for cell in cells}
    waiting = {inner.name for outer, inner in graph.captures if id(outer) in own}
    return any(_has_effects(operation, waiting) for operation in operations)


def _has_effects(operation: Any, waiting: set[str]) -> bool:
    kind = operation.type
    if kind not in _STATEFUL:
        _STATEFUL[kind] = operation.op_def.is_stateful and kind not in _READS
    return _STATEFUL[kind] and not (operation.inputs and operation.inputs[0].name in waiting)
