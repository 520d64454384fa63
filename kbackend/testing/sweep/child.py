"""The child of a sweep: runs trials and reports them on stdout, a JSON list a line.

A group is reported before it begins, so that the parent knows what ended the process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from kbackend.plugin.select import target
from kbackend.testing.sweep.registry import FAMILIES, trials_of

#: trials in one program on backends that compile, where one more costs little and a program much
TOGETHER = 6


def main(arguments: list[str]) -> int:
    """Run the items of the third argument on the backend of the first, with the seed of the second."""
    told = _private_stdout()
    place = target(arguments[0], os.environ.get("KBACKEND_DEVICE"))
    seed, items = int(arguments[1]), [tuple(item) for item in json.loads(arguments[2])]
    together = 1 if place.backend.eager else TOGETHER
    done = 0
    while done < len(items):
        family = items[done][0]
        group = [item for item in items[done : done + together] if item[0] == family]
        trials = trials_of(family, seed, [number for _, number in group])
        print(json.dumps(["begin", [(*item, str(t)) for item, t in zip(group, trials)]]), file=told)
        for item, trial, message in zip(group, trials, FAMILIES[family].check(trials, place)):
            if message is not None:
                print(json.dumps(["fault", *item, str(trial), message]), file=told)
        done += len(group)
        print(json.dumps(["done", done]), file=told)
    return 0


def _private_stdout() -> TextIO:
    """The real stdout; what engines print goes to stderr."""
    sys.stdout.flush()
    told = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
