"""Sweeps: many drawn calls in processes of their own, since what they look for may end a process.

    python -m kbackend.testing.sweep torch --family convolution --trials 20000

draws configurations of kernels beyond the samples and compares each with the NumPy backend in float64, forward and
gradient. A configuration that ends its process, or corrupts its memory, is a fault like any other and is named. The
conformance kit runs a short part of each family.
"""

from kbackend.testing.sweep.process import Outcome, sweep
from kbackend.testing.sweep.registry import FAMILIES, Family

__all__ = ["FAMILIES", "Family", "Outcome", "sweep"]
