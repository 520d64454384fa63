"""Names of NumPy for functions that K has under other names: the same objects."""

from __future__ import annotations

from kbackend.ops.arithmetic import abs_ as absolute
from kbackend.ops.reduction import max_ as amax
from kbackend.ops.reduction import min_ as amin
from kbackend.ops.unary import acos as arccos
from kbackend.ops.unary import asin as arcsin
from kbackend.ops.unary import atan as arctan

__all__ = ["absolute", "amax", "amin", "arccos", "arcsin", "arctan"]
