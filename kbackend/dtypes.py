"""The dtypes of kbackend and the one promotion rule that holds on every engine.

Dtypes are strings. Python numbers are weak: they take the dtype of the tensor they meet, unless a float meets
an integer tensor, which gives floatx. A bool beside a number takes the number's dtype; two bools do no arithmetic.
A complex number beside floats makes them complex of their own precision: float64 complex128, all others complex64.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from kbackend import config
from kbackend.ground.suggest import did_you_mean

BOOL = "bool"
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGER = SIGNED + UNSIGNED
FLOAT = config.FLOAT_TYPES
COMPLEX = ("complex64", "complex128")
ALL = (BOOL, *INTEGER, *FLOAT, *COMPLEX)
_BITS = {name: int("".join(c for c in name if c.isdigit())) for name in INTEGER + FLOAT + COMPLEX}
_REAL = {"complex64": "float32", "complex128": "float64"}


class WeakType:
    """The dtype of a Python number, before it meets a tensor."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"weak {self.kind}"


WEAK_INT, WEAK_FLOAT, WEAK_COMPLEX = WeakType("int"), WeakType("float"), WeakType("complex")


def is_float(dtype: str) -> bool:
    return dtype in FLOAT


def is_integer(dtype: str) -> bool:
    return dtype in INTEGER


def is_complex(dtype: str) -> bool:
    return dtype in COMPLEX


def is_inexact(dtype: str) -> bool:
    """Float or complex: what has gradients."""
    return dtype in FLOAT or dtype in COMPLEX


def real_of(dtype: str) -> str:
    """The dtype of real and imaginary part; that of real numbers is their own."""
    return _REAL.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """The complex dtype of the precision of a float; integers are taken as floatx.

    >>> complex_of("float64"), complex_of("float16")
    ('complex128', 'complex64')
    """
    real = real_of(dtype)
    return "complex128" if (real if real in FLOAT else config.floatx()) == "float64" else "complex64"


def _canonical_text(text: str) -> str:
    name = _plain(text)
    if name == "complex":
        return complex_of(config.floatx())
    return config.floatx() if name == "float" else name


@cache
def _plain(text: str) -> str:
    name = text.rsplit(".", 1)[-1]
    name = {
        "int": "int32",
        "bool_": "bool",
        "half": "float16",
        "double": "float64",
    }.get(name, name)
    if name not in ALL and name not in ("float", "complex"):
        raise TypeError(f"unknown dtype {text!r}; known are {', '.join(ALL)}.{did_you_mean(name, ALL)}".rstrip("."))
    return name


def canonical(dtype: Any) -> str:
    """The name of any dtype-like value: a string, a NumPy dtype, a number type of Python, an engine's dtype.

    Raises:
        TypeError: not one of the dtypes of kbackend.
    """
    if isinstance(dtype, str):
        return dtype if dtype in _BITS or dtype == BOOL else _canonical_text(dtype)
    if dtype is float:
        return config.floatx()
    if dtype is int:
        return "int32"
    if dtype is bool:
        return BOOL
    if dtype is complex:
        return complex_of(config.floatx())
    if isinstance(dtype, np.dtype):
        return _name_of(dtype)
    name = getattr(dtype, "name", None)
    if isinstance(name, str):
        return _canonical_text(name)
    if isinstance(dtype, type) and issubclass(dtype, np.generic):
        return _canonical_text(np.dtype(dtype).name)
    return _canonical_text(str(dtype))


@cache
def _name_of(dtype: np.dtype[Any]) -> str:
    name = _canonical_text(dtype.name)  # which NumPy makes anew each time
    if name == "bfloat16":
        met_bfloat16(dtype)
    return name


@cache
def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype of a name; NumPy itself has no bfloat16, ml_dtypes adds it."""
    if dtype == "bfloat16":
        import ml_dtypes

        return met_bfloat16(np.dtype(ml_dtypes.bfloat16))
    return np.dtype(dtype)


#: NumPy's dtype of bfloat16 once it has been used, and what is called then
_bfloat16: list[np.dtype[Any]] = []
_on_bfloat16: list[Callable[[np.dtype[Any]], None]] = []


def when_bfloat16(function: Callable[[np.dtype[Any]], None]) -> None:
    """Call a function with NumPy's dtype of bfloat16 when it is first used: ml_dtypes takes memory of its own."""
    if _bfloat16:
        function(_bfloat16[0])
    else:
        _on_bfloat16.append(function)


def met_bfloat16(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """NumPy's dtype of bfloat16, after telling those that wait for it."""
    if not _bfloat16:
        _bfloat16.append(dtype)
        for function in _on_bfloat16:
            function(dtype)
    return dtype


def converted(array: np.ndarray, dtype: str) -> np.ndarray:
    """A copy of an array in another dtype, whose integers keep their values.

    Raises:
        OverflowError: an integer lies outside the range of an integer dtype.

    >>> converted(np.array([1, 2]), "uint8")
    array([1, 2], dtype=uint8)
    """
    wanted = numpy_dtype(dtype)
    if array.dtype.kind in "iu" and wanted.kind in "iu" and array.size and not np.can_cast(array.dtype, wanted):
        limits = np.iinfo(wanted)
        outside = array[(array < limits.min) | (array > limits.max)]
        if outside.size:
            raise OverflowError(
                f"{outside.flat[0]} does not fit {dtype}, which holds {limits.min} to {limits.max}; "
                "use int64 for the tensor it goes into, or cast it explicitly"
            )
    return array.astype(wanted)


def promote(*dtypes: str | WeakType) -> str:
    """The dtype in which operands of these dtypes are combined.

    >>> promote("int32", "float16")
    'float16'
    >>> promote("int8", "uint8")
    'int16'
    """
    strong = [d for d in dtypes if isinstance(d, str)]
    weak_float = any(d is WEAK_FLOAT for d in dtypes)
    if any(d is WEAK_COMPLEX for d in dtypes):
        return complex_of(promote(*strong) if strong else config.floatx())
    if not strong:
        return config.floatx() if weak_float else "int32"
    result = strong[0]
    for other in strong[1:]:
        result = _promote_pair(result, other)
    if weak_float and not is_inexact(result):
        return config.floatx()
    if result == BOOL and any(d is WEAK_INT for d in dtypes):
        return "int32"
    return result


@cache
def _promote_pair(a: str, b: str) -> str:
    if a == b:
        return a
    if a == BOOL or b == BOOL:
        return b if a == BOOL else a
    if is_complex(a) or is_complex(b):
        real = [real_of(d) for d in (a, b) if is_inexact(d)]
        return complex_of(_promote_pair(*real) if len(real) == 2 else real[0])
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    if is_float(a):
        if {a, b} == {"float16", "bfloat16"}:
            return "float32"
        return a if _BITS[a] > _BITS[b] else b
    if (a in SIGNED) == (b in SIGNED):
        return a if _BITS[a] > _BITS[b] else b
    signed, unsigned = (a, b) if a in SIGNED else (b, a)
    return f"int{min(64, max(_BITS[signed], 2 * _BITS[unsigned]))}"


def to_float(dtype: str | WeakType) -> str:
    """The dtype of a result that cannot be an integer: itself, or floatx."""
    return dtype if isinstance(dtype, str) and is_inexact(dtype) else config.floatx()
