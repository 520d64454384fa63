"""Linear algebra kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch


def _raising(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with NumPy's LinAlgError instead of torch's."""

    @wraps(function)
    def kernel(*args: Any, **attrs: Any) -> Any:
        try:
            return function(*args, **attrs)
        except torch.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(str(error)) from error

    return kernel


@_raising
def cholesky(x: Any, upper: bool) -> Any:
    factor = torch.linalg.cholesky(x)
    return factor.mT if upper else factor


@_raising
def inv(x: Any) -> Any:
    return torch.linalg.inv(x)


@_raising
def solve(a: Any, b: Any) -> Any:
    if b.dim() == a.dim():
        return torch.linalg.solve(a, b)
    return torch.linalg.solve(a, b.unsqueeze(-1)).squeeze(-1)


def slogdet(x: Any) -> Any:
    sign, log = torch.linalg.slogdet(x)
    return sign, log


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    if b.dim() == a.dim():
        return torch.linalg.solve_triangular(a, b, upper=not lower)
    return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)


def einsum(operands: Any, subscripts: str) -> Any:
    return torch.einsum(subscripts, *operands)


KERNELS = {
    "cholesky": cholesky,
    "det": torch.linalg.det,
    "einsum": einsum,
    "inv": inv,
    "slogdet": slogdet,
    "solve": solve,
    "solve_triangular": solve_triangular,
}
