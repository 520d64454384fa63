"""``python -m kbackend.testing NAME [pytest's options]``: the conformance kit on an installed backend."""

import sys

import pytest


def main(arguments: list[str]) -> int:
    """Run the suite and give pytest's exit status."""
    if not arguments or arguments[0].startswith("-"):
        print(f"{__doc__}\nname a backend, such as numpy", file=sys.stderr)
        return 2
    name, *options = arguments
    return pytest.main(
        ["-p", "kbackend.testing.plugin", "--pyargs", "kbackend.testing.suite", "--kbackend", name, *options]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
