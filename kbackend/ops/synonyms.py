"""Names of NumPy and Keras for functions that have other names here: the same objects."""

from __future__ import annotations

from kbackend.ops.activations_more import hard_silu as hard_swish
from kbackend.ops.arithmetic import abs_ as absolute
from kbackend.ops.bits import bitwise_left_shift as left_shift
from kbackend.ops.bits import bitwise_right_shift as right_shift
from kbackend.ops.complexes import conj as conjugate
from kbackend.ops.logic import bitwise_not as bitwise_invert
from kbackend.ops.reduction import max_ as amax
from kbackend.ops.reduction import min_ as amin
from kbackend.ops.unary import acos as arccos
from kbackend.ops.unary import asin as arcsin
from kbackend.ops.unary import atan as arctan

__all__ = [
    "absolute",
    "amax",
    "amin",
    "arccos",
    "arcsin",
    "arctan",
    "bitwise_invert",
    "conjugate",
    "hard_swish",
    "left_shift",
    "right_shift",
]
