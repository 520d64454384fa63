"""The support matrix: the ops that each backend has kernels for and the layers that it runs, as Markdown.

``python -m kbackend.tools.support > docs/support.md`` writes the page of the built-in backends; other backends are
named as arguments.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from kbackend.declare.op import Op, ops
from kbackend.plugin.contract import Backend, InPlace
from kbackend.plugin.discover import built_in_backends
from kbackend.plugin.select import get_backend
from kbackend.tools import layer_support

HEAD = """# Support

Made by `python -m kbackend.tools.support`; a test keeps it current. Functions of K that are not listed arrange the
arguments of those that are.

- *primitive*: every backend brings a **kernel**, or declares why not (**never**, **not yet**).
- *composite*: defined by other ops, so it is there wherever they are (**composed**). A backend may bring an
  **override**, or a step that changes variables **in place**.
- A number refers to the cases that a backend declares to miss, at the end of the page.
"""


def page(names: Sequence[str] | None = None) -> str:
    """The support matrix of backends, one table for each family of ops.

    Args:
        names: the backends, one column each; None for the built-in ones. Their engines must be installed.

    Raises:
        BackendError: a backend is unknown or its engine is not installed.

    >>> from kbackend.tools.support import page
    >>> print(page(["numpy"]).split("## rnn")[1].split("##")[0].strip())
    | op | kind | numpy |
    |---|---|---|
    | `gru` | composite | composed |
    | `lstm` | composite | override |
    | `masked_gru` | composite | composed |
    | `masked_lstm` | composite | composed |
    | `masked_simple_rnn` | composite | composed |
    | `simple_rnn` | composite | composed |
    """
    import kbackend.backend  # noqa: F401 - the declarations of every family

    names = built_in_backends() if names is None else names
    backends = [get_backend(name) for name in names]
    declared = sorted((op for op in ops() if op.kind in ("primitive", "composite")), key=lambda op: op.name)
    notes: list[str] = []
    parts = [HEAD, _totals(declared, backends)]
    for family in sorted(set(map(_family, declared))):
        rows = [_row(op, backends, notes) for op in declared if _family(op) == family]
        parts.append("\n".join([f"## {family}\n", _line("op", "kind", *names), _rule(names, 2), *rows]) + "\n")
    parts += [_layers(backends), _names(backends)]
    parts.append("## What is missing\n\n" + ("\n".join(notes) or "Nothing is declared missing.") + "\n")
    return "\n".join(parts)


def _layers(backends: Sequence[Backend]) -> str:
    """A row for each layer."""
    found = layer_support.table(backends, state)
    columns = _line("layer", "in", "masks", *(backend.name for backend in backends))
    head = (
        f"## Layers\n\n{len(found)} classes. *masks*: whether the layer takes a mask and passes it on, or says what "
        "becomes of it.\nA name beside *yes* is an override that the layer calls by itself.\n"
    )
    return "\n".join([head, columns, _rule(backends, 3), *(_line(*row) for row in found)]) + "\n"


def _names(backends: Sequence[Backend]) -> str:
    """A row for each public function of K and of kbackend.ops."""
    from kbackend import backend as K
    from kbackend import ops

    places = {"K": _functions(K), "ops": _functions(ops)}
    rows = []
    for name in sorted({*places["K"], *places["ops"]}):
        here = [place for place, functions in places.items() if name in functions]
        same = len(here) == 2 and places["K"][name] is places["ops"][name]
        for place in ["K, ops"] if same else here:
            function = places["ops" if place == "ops" else "K"][name]
            rows.append(_line(f"`{name}`", place, *(_available(function, backend) for backend in backends)))
    head = "## All names\n\nOf K and of kbackend.ops; a name in two rows has two meanings.\n"
    return "\n".join([head, _line("name", "in", *(b.name for b in backends)), _rule(backends, 2), *rows]) + "\n"


def _functions(module: Any) -> dict[str, Any]:
    found = {n: f for n, f in vars(module).items() if callable(f) and not n.startswith("_")}
    return {n: f for n, f in found.items() if not isinstance(f, type)}


def _available(function: Any, backend: Backend) -> str:
    """The support of a function by a backend: that of its op.

    Functions without an op of their own may call any op, so they are certain to work only if no op is missing.
    """
    op = getattr(function, "op", None)
    if op is not None and op.kind in ("primitive", "composite"):
        return state(op, backend)
    return "yes" if all(gap.samples for gap in backend.gaps.values()) else "where its ops are"


def state(op: Op, backend: Backend) -> str:
    """The support of an op by a backend: 'kernel', 'override', 'in place', 'composed', 'never' or 'not yet'."""
    kernel = backend.kernels.get(op.name)
    if kernel is None:
        gap = backend.gaps.get(op.name)
        return gap.kind.replace("_", " ") if gap else "composed"
    if op.kind == "primitive":
        return "kernel"
    return "in place" if isinstance(kernel, InPlace) else "override"


def _family(op: Op) -> str:
    return op.function.__module__.split(".")[2]


def _row(op: Op, backends: Sequence[Backend], notes: list[str]) -> str:
    return _line(f"`{op.name}`", op.kind, *(_cell(op, backend, notes) for backend in backends))


def _cell(op: Op, backend: Backend, notes: list[str]) -> str:
    gap = backend.gaps.get(op.name)
    if gap is None:
        return state(op, backend)
    cases = f", {', '.join(gap.samples)}" if gap.samples else ""
    notes.append(f"{len(notes) + 1}. `{op.name}` on {backend.name}{cases}: {gap.reason} ({gap.kind}).")
    return f"{state(op, backend)} ({len(notes)})"


def _totals(declared: Sequence[Op], backends: Sequence[Backend]) -> str:
    counted = [(b.name, [state(op, b) for op in declared]) for b in backends]
    kinds = ("kernel", "override", "in place", "composed", "never", "not yet")
    rows = [_line(name, *(str(states.count(kind)) for kind in kinds)) for name, states in counted]
    return "\n".join([_line("backend", *kinds), _rule(kinds, 1), *rows]) + "\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: Sequence[Any], more: int) -> str:
    return "|" + "---|" * (len(columns) + more)


def main(names: Sequence[str]) -> None:
    print(page(names or None), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
