"""``kbackend lint``: what a program of Keras 1 or 2 calls and kbackend lacks."""

from kbackend.tools.lint import add_arguments, run

__all__ = ["add_arguments", "run"]
