"""``python -m kbackend``: the command ``kbackend``."""

import sys

from kbackend.tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
