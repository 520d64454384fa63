"""Samples: the calls with which the conformance kit tries an op. They stand beside the op's declaration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: dtypes in which a "float" input is run unless the sample says otherwise
FLOATS = ("float64", "float32", "float16")


@dataclass(frozen=True)
class In:
    """An input array of a sample.

    Args:
        shape: its shape.
        low, high: values are drawn uniformly from [low, high) (integers: low <= v < high).
        kind: 'float' (takes each dtype of the sample in turn), 'bool', or a fixed dtype such as 'int32'.
        values: the values themselves instead of drawn ones.
        gradient: whether gradients with respect to it are compared.
        distinct: drawn values differ from each other by at least 1/size, for ops with ties or kinks.
        avoid: values from which drawn ones keep a distance of 0.05 (kinks).
    """

    shape: tuple[int, ...] = ()
    low: float = -2.0
    high: float = 2.0
    kind: str = "float"
    values: Any = None
    gradient: bool = True
    distinct: bool = False
    avoid: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One call: ``op(*args, **kwargs)`` where In(...) stands for arrays.

    Args:
        args, kwargs: the call; lists of In are allowed.
        name: what the sample shows.
        dtypes: the dtypes for inputs of kind 'float'.
        gradient: whether gradients are compared (float64 and float32).
        row: the row of the semantics table that this sample is.
        expect: the exact expected result (array or tuple of arrays), compared on every backend.
        expect_gradient: the exact expected gradient of sum(result) with respect to the first input.
        raises: the exception type that the call must raise on every backend.
        tolerance: class name of the tolerance when it differs from the op's; needs ``reason``.
        reason: why the tolerance differs.
        dynamic: whether the sample is also run with an unknown first dimension.
        compare: 'values', or a function (result, reference) for results that are defined up to something.
    """

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    dtypes: tuple[str, ...] = FLOATS
    gradient: bool = True
    row: int | None = None
    expect: Any = None
    expect_gradient: Any = None
    raises: type[BaseException] | None = None
    tolerance: str | None = None
    reason: str = ""
    dynamic: bool = True
    compare: str | Callable[[Any, Any], None] = "values"


def call(*args: Any, **options: Any) -> Sample:
    """``call(In((2, 3)), axis=1)``: keyword arguments that Sample does not know are the op's."""
    own = {
        k: options.pop(k)
        for k in list(options)
        if k in Sample.__dataclass_fields__ and k not in ("args", "kwargs")
    }
    return Sample(args=args, kwargs=options, **own)
