"""Decompositions of matrices, by torch's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kbackend_torch.kernels.linalg.solve import _raising


def qr_reduced(x: Any) -> Any:
    q, r = torch.linalg.qr(x)
    return q, r


def orthogonal_complement(x: Any) -> Any:
    return torch.linalg.qr(x.detach(), mode="complete")[0][..., x.shape[-1] :]


def _refused(x: Any) -> Any:
    """``x`` with NaN for infinities, with which torch gives numbers that mean nothing; NaN is an error."""
    return torch.where(torch.isfinite(x), x, torch.nan)


@_raising
def svd_reduced(x: Any) -> Any:
    u, s, vh = torch.linalg.svd(_refused(x), full_matrices=False)
    return u, s, vh


@_raising
def svd_values(x: Any) -> Any:
    return torch.linalg.svdvals(_refused(x))


@_raising
def pinv(x: Any, rcond: float | None) -> Any:
    limit = max(x.shape[-2:]) * torch.finfo(x.dtype).eps if rcond is None else rcond
    return torch.linalg.pinv(_refused(x), atol=0.0, rtol=limit)


@_raising
def eigh_lower(x: Any) -> Any:
    # NaN for matrices that are not finite: some libraries refuse them, some come to no end.
    finite = torch.isfinite(x).all(-1, keepdim=True).all(-2, keepdim=True)
    values, vectors = torch.linalg.eigh(torch.where(finite, x, torch.zeros_like(x)))
    return torch.where(finite[..., 0], values, torch.nan), torch.where(finite, vectors, torch.nan)


def eig(x: Any) -> Any:
    try:
        values, vectors = torch.linalg.eig(x)
    except RuntimeError as error:
        raise _as_of_numpy(error, "infs or NaNs") from error
    return values, vectors


def _as_of_numpy(error: RuntimeError, words: str) -> Exception:
    """NumPy's exception for torch's own, and for a plain RuntimeError that has these words."""
    known = isinstance(error, torch.linalg.LinAlgError) or words in str(error)
    return np.linalg.LinAlgError(str(error)) if known else error


def lu_factor(x: Any) -> Any:
    try:
        factors, pivots = torch.linalg.lu_factor(x)
    except RuntimeError as error:
        raise _as_of_numpy(error, "is zero") from error
    return factors, pivots - 1


KERNELS = {
    "eig": eig,
    "eigh_lower": eigh_lower,
    "lu_factor": lu_factor,
    "orthogonal_complement": orthogonal_complement,
    "pinv": pinv,
    "qr_reduced": qr_reduced,
    "svd_reduced": svd_reduced,
    "svd_values": svd_values,
}
