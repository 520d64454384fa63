"""Activation kernels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


def softmax(x: Any, axis: int) -> Any:
    return torch.softmax(x, dim=axis)


def log_softmax(x: Any, axis: int) -> Any:
    return torch.log_softmax(x, dim=axis)



def gelu(x: Any, approximate: bool) -> Any:
    return F.gelu(x, approximate="tanh" if approximate else "none")


KERNELS: dict[str, Any] = {
    "rectify": torch.relu,
    "sigmoid": torch.sigmoid,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softsign": F.softsign,
    "gelu": gelu,
}
