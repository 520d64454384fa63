"""Small data sets that come with the package."""

from kbackend.datasets import digits

__all__ = ["digits"]
