"""``kbackend bench``: how fast installed engines run a model, or models of usual kinds, on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kbackend.tools.arguments import checked_engines, file_name, positive
from kbackend.tools.data import add_data
from kbackend.tools.files import add_model, read_model

if TYPE_CHECKING:
    from kbackend.tools.timing.turns import Result

_KINDS = ("train", "predict", "one sample")
_WORKLOADS = ("dense", "convnet", "lstm", "transformer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = (
        "Each engine has a process of its own; in each round the engines take turns. train and predict are times of "
        "one batch within fit and predict, one sample that of predict_on_batch; medians of the rounds, and beside "
        "them how many times the fastest engine's. A time with ~ is unsteady: its slowest round took over 1.5 times "
        "its fastest."
    )
    add_model(parser, nargs="?")
    parser.add_argument(
        "--workloads", nargs="+", choices=_WORKLOADS, metavar="NAME",
        help=f"without a model: which of {', '.join(_WORKLOADS)} (default: all)",
    )  # fmt: skip
    parser.add_argument("--engines", nargs="+", metavar="NAME", help="engines to time (default: all installed)")
    parser.add_argument("--batch", type=positive, default=32, help="samples a batch (default 32)")
    parser.add_argument("--rounds", type=positive, default=5, help="how often each engine takes its turn (default 5)")
    parser.add_argument("--jit", action="store_true", help="with the engines' compilers, which takes longer to start")
    parser.add_argument(
        "--scale", nargs="*", type=positive, metavar="N",
        help="time a dense network in N processes that share a batch, and what sums over them cost (default: 1 2 4)",
    )  # fmt: skip
    add_data(parser)
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the seconds of all rounds")


def run(options: argparse.Namespace) -> int:
    """Time and print; return 0, or 1 where an engine did not run a model."""
    from rich.console import Console

    from kbackend.tools.timing.turns import in_turns, workers

    engines = checked_engines(options.engines)
    if options.scale is not None:
        return _scale(engines, options)
    requests = _requests(options)
    with workers(engines) as found:
        results = []
        for name, request in requests.items():
            results += in_turns(name, request, found, options.rounds)
    console = Console()
    console.print(_table(results))
    for result in results:
        if result.error:
            console.print(f"{result.model} on {result.engine}: {result.error}", markup=False, highlight=False)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=2), encoding="utf-8")
    return int(any(r.error for r in results))


def _scale(engines: Sequence[str], options: argparse.Namespace) -> int:
    """Time with numbers of processes."""
    from kbackend.tools import scale

    if options.model is not None or options.jit or options.json:
        raise ValueError("--scale times a network of its own, without compilers; leave the model, --jit and --json out")
    return scale.run(engines, options.scale or [1, 2, 4], options.batch, options.rounds)


def _requests(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Name of the model -> what builds it."""
    common = {"batch": options.batch, "jit": options.jit}
    if options.model is None:
        if options.data:
            raise ValueError("--data is for a model; the workloads draw their own")
        return {name: {**common, "workload": name} for name in options.workloads or _WORKLOADS}
    if options.workloads:
        raise ValueError("either a model or --workloads is timed; leave one out")
    read_model(options.model)  # a mistake is one message, not one for each engine
    data = str(options.data.absolute()) if options.data else None
    return {options.model.name: {**common, "file": str(options.model.absolute()), "data": data}}


def _table(results: Sequence[Result]) -> Any:
    from rich.table import Table

    kinds = [k for k in _KINDS if any(k in r.seconds for r in results)]
    table = Table("model", "engine", box=None, pad_edge=False)
    for kind in kinds:
        table.add_column(f"{kind}, ms", justify="right")
        table.add_column("ratio", justify="right")
    for result in results:
        peers = [r for r in results if r.model == result.model]
        table.add_row(result.model, result.engine, *(c for kind in kinds for c in _cells(result, kind, peers)))
    return table


def _cells(result: Result, kind: str, peers: Sequence[Result]) -> tuple[str, str]:
    if kind not in result.seconds:
        return "failed" if result.error else "-", ""
    best = min(r.milliseconds(kind) for r in peers if kind in r.seconds)
    own = result.milliseconds(kind)
    return f"{'~' if result.unsteady(kind) else ''}{own:.3f}", f"{own / best:.2f}"
