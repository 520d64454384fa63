"""Special functions of NumPy, and the complementary error function."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp

from kbackend_numpy import special
from kbackend_numpy.kernels.elementwise.functions import KERNELS as ELEMENTWISE
from kbackend_numpy.kernels.elementwise.functions import smooth

_sqrt = ELEMENTWISE["sqrt"]


def _arccosh_derivative(ans: Any, x: Any) -> Any:
    return 1 / (_sqrt(x - 1) * _sqrt(x + 1))


KERNELS = {
    "arccosh": smooth(onp.arccosh, _arccosh_derivative),
    "arcsinh": smooth(onp.arcsinh, lambda ans, x: 1 / _sqrt(x * x + 1)),
    "arctanh": smooth(onp.arctanh, lambda ans, x: 1 / ((1 - x) * (1 + x))),
    "cbrt": smooth(onp.cbrt, lambda ans, x: 1 / (3 * ans * ans)),
    "erfc": smooth(special.erfc, lambda ans, x: -1.1283791670955126 * np.exp(-x * x)),
    "exp2": smooth(onp.exp2, lambda ans, x: ans * 0.6931471805599453),
    "log10": smooth(onp.log10, lambda ans, x: 0.4342944819032518 / x),
    "log2": smooth(onp.log2, lambda ans, x: 1.4426950408889634 / x),
}
