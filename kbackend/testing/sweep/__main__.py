"""``python -m kbackend.testing.sweep NAME``: draw calls and compare them with NumPy, for as long as is wanted.

    python -m kbackend.testing.sweep torch --family convolution --trials 20000 --set ONEDNN_MAX_CPU_ISA=AVX2

The variable of the example makes oneDNN, which torch and TensorFlow use, take its kernels for older processors.
"""

from __future__ import annotations

import argparse
import sys

from kbackend.testing.sweep.process import sweep
from kbackend.testing.sweep.registry import FAMILIES


def main(arguments: list[str]) -> int:
    """Run a sweep, print each fault as it is found, and give 1 where there are any."""
    parser = argparse.ArgumentParser(prog="python -m kbackend.testing.sweep", description=__doc__.splitlines()[0])
    parser.add_argument("backend", help="the name of a backend, such as torch")
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES), help="may be given again; default: all")
    parser.add_argument("--trials", type=int, default=1000, help="of each family; default: 1000")
    parser.add_argument("--first", type=int, default=0, help="the number of the first trial; default: 0")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an environment variable")
    given = parser.parse_args(arguments)
    environment = dict(pair.split("=", 1) for pair in given.set)
    families = given.family or list(FAMILIES)
    found = sweep(given.backend, families, given.trials, given.seed, given.first, environment, print)
    print(f"{found.ran} trials of {', '.join(families)} on {given.backend}: {len(found.faults)} faults")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
