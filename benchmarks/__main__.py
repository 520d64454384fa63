"""`python -m benchmarks`: measure all peers in turns, print tables, or check that they agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import check, report, workloads
from benchmarks.measure import FULL, QUICK, ImportTime, Plan, Result, Turns, import_times
from benchmarks.peers import ENGINES, FAMILIES, Peer, peers_of


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, 3 rounds, batch 32, no XLA")
    parser.add_argument("--batch", type=int, nargs="+", metavar="N", help="default 32 256; --quick 32")
    parser.add_argument("--workload", nargs="+", choices=workloads.NAMES, default=list(workloads.NAMES))
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--rounds", type=int, metavar="N", help="default 5; --quick 3")
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile too, which is slow to start; with --quick XLA as well"
    )
    parser.add_argument(
        "--imports",
        action=argparse.BooleanOptionalAction,
        help="measure import times; default yes, --quick no",
    )
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="check that the peers agree, measure nothing")
    options = parser.parse_args(arguments)
    options.batch = options.batch or ([32] if options.quick else [32, 256])
    options.imports = not options.quick if options.imports is None else options.imports
    return options


def plan_of(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    for batch in options.batch:
        if batch < 1 or any(samples % batch for samples in plan.samples.values()):
            raise SystemExit(f"--batch {batch}: must divide {min(plan.samples.values())}")
    return plan


def compilers(options: argparse.Namespace) -> list[str]:
    if options.compile:
        return ["torch", "tensorflow"]
    return [] if options.quick else ["tensorflow"]


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.check:
        return check.run(options.workload, options.engine, options.family, log)
    plan = plan_of(options)
    command = " ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)])
    results, everyone = list[Result](), list[Peer]()
    for workload in options.workload:
        peers = peers_of(workload, options.engine, options.family, compilers(options))
        everyone += peers
        for batch in options.batch:
            log(f"{workload}, batch {batch}: {len(peers)} peers")
            results += Turns(workload, batch, peers, plan, log).measure()
            save(options, results, [], command, plan)
    imports = import_times(everyone, plan.rounds) if options.imports else []
    save(options, results, imports, command, plan)
    print(report.markdown(results, imports, command, plan))
    return 0


def save(
    options: argparse.Namespace, results: list[Result], imports: list[ImportTime], command: str, plan: Plan
) -> None:
    """Write the files asked for; done after every workload, so that a run cut short leaves what it measured."""
    if options.markdown:
        report.write(options.markdown, report.markdown(results, imports, command, plan))
    if options.json:
        report.write_json(options.json, report.as_json(results, imports, command, plan))


if __name__ == "__main__":
    raise SystemExit(main())
