"""``kbackend lint``: what a program of Keras 1 or 2 imports and calls that kbackend does not have."""

from kbackend.tools.lint.program import Finding, add_arguments, findings, run

__all__ = ["Finding", "add_arguments", "findings", "run"]
