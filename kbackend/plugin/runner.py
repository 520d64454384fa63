"""The runner of backends whose programs are plain Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

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

    def run(feeds: Sequence[Any]) -> Sequence[Any]:
        cells = [v.cell(target) for v in variables]
        outputs, new = function(*feeds, cells)
        for variable, value in zip(updated, new):
            variable.set_cell(target, value)
        for counter in counters:
            counter.set_cell(target, counter.cell(target) + 1)
        return outputs

    return run
