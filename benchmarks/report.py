"""The same tables for the terminal and for Markdown, and everything as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.compare import WHATS, geometric_means, ratios
from benchmarks.measure import ImportTime, Plan, Result

PACKAGES = ("torch", "tensorflow", "tensorflow-cpu", "keras", "autograd", "numpy", "kbackend")
TITLES = {
    "train": "training step",
    "predict": "predict, one sample",
    "peak_mb": "peak memory",
    "first_step_s": "build and first step",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with padded columns, which reads well in a terminal too."""
    lines = [[cell.replace("|", "/") for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def shown(line: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown(lines[0]), rule, *map(shown, lines[1:])])


def spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{short(statistics.median(values))} ({short(min(values))} to {short(max(values))})"


def short(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def versions() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"Python {platform.python_version()}, {', '.join(found)}; {machine}"


def peers_table(results: list[Result]) -> str:
    rows = []
    for r in results:
        cells = [r.workload, str(r.batch), r.peer.name]
        if r.error is not None:
            rows.append([*cells, f"error: {r.error.splitlines()[0][:160]}", "-", "-", "-"])
        else:
            rows.append([*cells, spread(r.train), spread(r.predict), short(r.first_step_s), short(r.peak_mb)])
    head = ("workload", "batch", "peer", "ms a training step", "ms predict(1)", "first step, s", "peak MB")
    return table(head, rows)


def ratios_table(results: list[Result]) -> str:
    rows = [
        (r.workload, str(r.batch), r.engine, TITLES[r.what], f"{r.over} / {r.under}",
         f"{r.median:.2f} ({r.least:.2f} to {r.most:.2f})")
        for r in sorted(ratios(results), key=lambda r: (WHATS.index(r.what), r.engine))
    ]  # fmt: skip
    return table(("workload", "batch", "engine", "what", "ratio of", "median (least to most)"), rows)


def means_table(results: list[Result]) -> str:
    rows = [
        (engine, TITLES[what], f"{over} / {under}", f"{mean:.2f}", f"{worst:.2f}", str(count))
        for (what, over, under, engine), (mean, worst, count) in geometric_means(ratios(results)).items()
    ]
    return table(("engine", "what", "ratio of", "geometric mean", "worst", "of"), rows)


def imports_table(imports: list[ImportTime]) -> str:
    rows = [
        (f"import {i.name}", spread(i.seconds) if i.error is None else f"error: {i.error}") for i in imports
    ]
    return table(("", "seconds"), rows)


def markdown(results: list[Result], imports: list[ImportTime], command: str, plan: Plan) -> str:
    """All tables; ratios take the best peer of each family on the same engine."""
    parts = [
        f"Made by `{command}`: {versions()}. Median of {plan.rounds} rounds in which all peers of a workload"
        " take turns, with the least and the most of the rounds in brackets.",
        peers_table(results),
        "Ratios are of the best peer of each family on the same engine, round by round.",
        ratios_table(results),
        means_table(results),
    ]
    if imports:
        parts.append(imports_table(imports))
    return "\n\n".join(parts) + "\n"


def as_json(results: list[Result], imports: list[ImportTime], command: str, plan: Plan) -> dict[str, Any]:
    return {
        "command": command,
        "versions": versions(),
        "plan": asdict(plan),
        "results": [asdict(result) for result in results],
        "ratios": [asdict(ratio) for ratio in ratios(results)],
        "geometric_means": [
            {
                "what": what,
                "over": over,
                "under": under,
                "engine": engine,
                "mean": mean,
                "worst": worst,
                "of": count,
            }
            for (what, over, under, engine), (mean, worst, count) in geometric_means(ratios(results)).items()
        ],
        "imports": [asdict(one) for one in imports],
    }


def write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def write_json(path: str, value: dict[str, Any]) -> None:
    write(path, json.dumps(value, indent=1) + "\n")
