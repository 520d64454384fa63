"""Decompositions of matrices, by torch's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kbackend_torch.kernels.linalg import _raising


def qr_reduced(x: Any) -> Any:
    q, r = torch.linalg.qr(x)
    return q, r.triu()  # what is below the diagonal has no gradient


def orthogonal_complement(x: Any) -> Any:
    return torch.linalg.qr(x.detach(), mode="complete")[0][..., x.shape[-1] :]


@_raising
def svd_reduced(x: Any) -> Any:
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    return u, s, vh


@_raising
def svd_values(x: Any) -> Any:
    return torch.linalg.svdvals(x)


@_raising
def pinv(x: Any, rcond: float | None) -> Any:
    limit = max(x.shape[-2:]) * torch.finfo(x.dtype).eps if rcond is None else rcond
    return torch.linalg.pinv(x, atol=0.0, rtol=limit)


@_raising
def eigh_lower(x: Any) -> Any:
    values, vectors = torch.linalg.eigh(x)
    return values, vectors


@_raising
def eig(x: Any) -> Any:
    values, vectors = torch.linalg.eig(x)
    return values, vectors


def lu_factor(x: Any) -> Any:
    try:
        factors, pivots = torch.linalg.lu_factor(x)
    except RuntimeError as error:
        if "is zero" not in str(error):
            raise
        raise np.linalg.LinAlgError(str(error)) from error
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
