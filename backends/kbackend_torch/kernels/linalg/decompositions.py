"""Decompositions of matrices by torch.linalg."""

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


def _without_infinities(x: Any) -> Any:
    """``x`` with NaN for infinities: torch raises an error for NaN, but returns meaningless numbers for infinities."""
    return torch.where(torch.isfinite(x), x, torch.nan)


@_raising
def svd_reduced(x: Any) -> Any:
    u, s, vh = torch.linalg.svd(_without_infinities(x), full_matrices=False)
    return u, s, vh


@_raising
def svd_values(x: Any) -> Any:
    return torch.linalg.svdvals(_without_infinities(x))


@_raising
def pinv(x: Any, rcond: float | None) -> Any:
    rtol = max(x.shape[-2:]) * torch.finfo(x.dtype).eps if rcond is None else rcond
    return torch.linalg.pinv(_without_infinities(x), atol=0.0, rtol=rtol)


@_raising
def eigh_lower(x: Any) -> Any:
    # Matrices that are not finite are replaced: some LAPACK libraries refuse them, some do not terminate.
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
    """NumPy's exception for torch's LinAlgError, and for a RuntimeError whose message has these words."""
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
