"""``kbackend run``: a program of Keras 1 or 2, as it is."""

from kbackend.compat.running import add_arguments
from kbackend.compat.running import run_command as run

__all__ = ["add_arguments", "run"]
