"""The runner of backends whose programs are plain Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kbackend.graph.variable import holders, set_cells, sharing, written
from kbackend.ground.interrupts import hold_interrupts, release_interrupts

if TYPE_CHECKING:
    from kbackend.plugin.contract import Target


def eager_runner(emitted: Any, target: Target) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Run the emitted function as it is; afterwards all updates take effect together."""
    function, variables, updated, counters = (
        emitted.function,
        emitted.variables,
        emitted.updated,
        emitted.counters,
    )

    held = holders(variables, target)

    def run(feeds: Sequence[Any]) -> Sequence[Any]:
        return function(*feeds, held())[0]

    in_place = bool(emitted.in_place)
    changed = [*updated, *counters]

    def update(feeds: Sequence[Any]) -> Sequence[Any]:
        cells = held()
        try:
            outputs, new = function(*feeds, cells)  # which holds interrupts before it changes variables in place
            cells = [*new, *(c.cell(target) + 1 for c in counters)] if counters else new
            if sharing[0]:
                hold_interrupts()
                cells = written(changed, target, cells)
            set_cells(changed, target, cells)
        finally:
            if in_place or sharing[0]:
                release_interrupts()
        return outputs

    return update if changed or in_place else run
