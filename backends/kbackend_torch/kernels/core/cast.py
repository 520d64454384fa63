"""Casts, copies and the identity."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def cast(x: Any, dtype: str) -> Any:
    return x.to(TORCH[dtype])


def identity(x: Any) -> Any:
    return x


def stop_gradient(x: Any) -> Any:
    return x.detach()


KERNELS = {
    "copy": torch.clone,
    "cast": cast,
    "identity": identity,
    "stop_gradient": stop_gradient,
}
