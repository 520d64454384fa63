"""``python -m kbackend.testing NAME [pytest's options]``: the conformance kit on an installed backend."""

import sys

import pytest


def main(arguments: list[str]) -> int:
    """Run the suite and return the exit status of pytest."""
    if not arguments or arguments[0].startswith("-"):
        print(f"{__doc__}\nname a backend, such as numpy", file=sys.stderr)
        return 2
    name, *options = arguments
    # kbackend is imported before pytest starts, which then warns that it cannot rewrite its assertions; it has none.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return pytest.main([*quiet, "--pyargs", "kbackend.testing.suite", "--kbackend", name, *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
