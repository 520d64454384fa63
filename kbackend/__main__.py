"""``python -m kbackend``: the command ``kbackend``."""

import sys

from kbackend.tools.cli import main

sys.exit(main())
