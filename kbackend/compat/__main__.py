"""``python -m kbackend.compat script.py arguments``: run a program of Keras 1 or 2."""

import argparse
import sys

from kbackend.compat.running import add_arguments


def main() -> int:
    """Run the script that the command line names, and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m kbackend.compat", description="Run a program of Keras 1 or 2.")
    add_arguments(parser)
    options = parser.parse_args()
    try:
        return options.run(options)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"kbackend: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
