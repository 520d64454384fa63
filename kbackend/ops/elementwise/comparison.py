"""Comparisons of order and equality, element by element."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import X1_IS_X, composite, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, compared, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec


def _comparisons() -> list[Sample]:
    return [
        call(In((2, 3)), In((3,)), name="broadcasting", gradient=False),
        call(values(1.0, NAN, 2.0, INF), values(1.0, NAN, 3.0, INF), name="NaN", gradient=False),
        call(values(-0.0, 0.0), 0.0, name="signed zeros", gradient=False),
        call(In((4,), -3, 3, kind="int32"), 1, name="int32", gradient=False),
        call(In((4,), -3, 3, kind="int32"), 0.5, name="int32 and a float", gradient=False, row=29),
        call(In((0, 3)), In((1, 3)), name="empty", gradient=False),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError, row=52),
    ]


def _equalities() -> list[Sample]:
    return [
        *_comparisons(),
        call(In((2, 3), kind="bool"), In((3,), kind="bool"), name="bool", gradient=False),
    ]


_ORDER: dict[str, Any] = {
    "promote": "same",
    "differentiable": False,
    "tolerance": "exact",
    "spellings": X1_IS_X,
    "samples": _comparisons,
}
_EQUALITY: dict[str, Any] = {**_ORDER, "samples": _equalities}


@primitive(takes_complex=True, **_EQUALITY)
def equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x == y`` (NumPy's ``equal``); NaN is equal to nothing.

    Args:
        x, y: tensors or numbers whose shapes broadcast.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.equal([1., 2.], 2)).tolist()
    [False, True]
    """
    return compared(x, y)


@composite(takes_complex=True, **_EQUALITY, rule=compared)
def not_equal(x: TensorLike, y: TensorLike) -> Any:
    """``x != y`` (NumPy's ``not_equal``). Arguments, result and errors as in :func:`equal`.

    >>> from kbackend import K
    >>> K.eval(K.not_equal([1., 2.], 2)).tolist()
    [True, False]
    """
    return ~(x == y)


@primitive(**{**_ORDER, "samples": lambda: [
    *_comparisons(), call(In((2,), kind="complex64"), 1.0, raises=TypeError, name="complex")]})
def less(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x < y`` (NumPy's ``less``); False if an operand is NaN.

    Args:
        x, y: tensors or numbers whose shapes broadcast.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a complex operand.

    >>> from kbackend import K
    >>> K.eval(K.less([1., 2.], 2)).tolist()
    [True, False]
    """
    return compared(x, y)


@primitive(**_ORDER)
def less_equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x <= y`` (NumPy's ``less_equal``); False if an operand is NaN. Arguments, result and errors as in :func:`less`.

    >>> from kbackend import K
    >>> K.eval(K.less_equal([1., 2.], 1)).tolist()
    [True, False]
    """
    return compared(x, y)


@composite(**_ORDER, rule=compared)
def greater(x: TensorLike, y: TensorLike) -> Any:
    """``x > y`` (NumPy's ``greater``); False if an operand is NaN. Arguments, result and errors as in :func:`less`.

    >>> from kbackend import K
    >>> K.eval(K.greater([1., 2.], 1)).tolist()
    [False, True]
    """
    return y < x


@composite(**_ORDER, rule=compared)
def greater_equal(x: TensorLike, y: TensorLike) -> Any:
    """``x >= y`` (NumPy's ``greater_equal``); False if an operand is NaN.

    Arguments, result and errors as in :func:`less`.

    >>> from kbackend import K
    >>> K.eval(K.greater_equal([1., 2.], 2)).tolist()
    [False, True]
    """
    return y <= x


__all__ = ["equal", "greater", "greater_equal", "less", "less_equal", "not_equal"]
