"""Data frames and series of pandas, known by the module of their class."""

from __future__ import annotations

from typing import Any

import numpy as np


def of_pandas(value: Any) -> bool:
    """Whether the class of a value is of pandas."""
    return type(value).__module__.partition(".")[0] == "pandas"


def is_frame(value: Any) -> bool:
    """Whether a value is a DataFrame."""
    return of_pandas(value) and hasattr(value, "columns")


def array_of_frame(frame: Any) -> np.ndarray:
    """The numbers of a data frame, (rows, columns); missing values are NaN.

    Raises:
        TypeError: a column that holds no numbers; the message names it.
    """
    columns = [_numbers(frame.iloc[:, place], name) for place, name in enumerate(frame.columns)]
    if not columns:
        return np.zeros((len(frame), 0))
    return np.stack(columns, axis=1)


def array_of_series(series: Any) -> np.ndarray:
    """The numbers of a series; missing values are NaN.

    Raises:
        TypeError: it holds no numbers.
    """
    return _numbers(series, series.name)


def _numbers(series: Any, name: Any) -> np.ndarray:
    if getattr(series.dtype, "kind", "O") not in "biuf":
        raise TypeError(f"the column {name!r} has the dtype {series.dtype}; make numbers of it first")
    if series.isna().any():
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return series.to_numpy()
