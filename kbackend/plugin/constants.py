"""Coefficients and limits that definitions and kernels share, so that they give the same bits."""

from __future__ import annotations

import math

Powers = tuple[float, ...]


# Numerators and denominators of Wichura's rational functions from the highest power down: PPND16 in float64,
# PPND7 in float32.
CENTRAL = {
    "float64": (
        (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
        (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
    ),
    "float32": ((59.109374720, 159.29113202, 50.434271938, 3.3871327179),
                (67.187563600, 78.757757664, 17.895169469, 1.0)),
}


TAIL = {
    "float64": (
        (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
        (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
    ),
    "float32": ((0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0)),
}


FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)
CENTRAL_ENDS = 0.425
FAR_STARTS = 5.0
#: of the series of the logarithm, whose argument is at most 0.172
TERMS = {"float64": 10, "float32": 5}
#: powers of e below this are 0, and above the other those of it
LOWEST, HIGHEST = -708.0, 709.0
#: log 2 in two parts: the first has 32 bits, so that its product with a power of two's exponent is exact
LOG2_HIGH = math.floor(math.log(2.0) * 2.0**32) * 2.0**-32
LOG2_LOW = 1.9082149292705877e-10
#: coefficients of the exponential's series from the highest power down; the argument is at most log(2) / 2
SERIES = tuple(1.0 / math.factorial(k) for k in range(13, -1, -1))
#: the logit of a forbidden pair; finite, so that a row of forbidden pairs gives no NaN, and so large that adding it to
#: a logit, as fused kernels do, gives the same
FORBIDDEN = {"float16": -6e4, "bfloat16": -1e38, "float32": -1e38, "float64": -1e300}
