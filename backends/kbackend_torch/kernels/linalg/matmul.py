"""Matrix product kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import linear

from kbackend.plugin.contract import Specialized


def _dense(specs: Any) -> Any:
    x, _, bias = specs
    if bias is None:
        return lambda x, kernel, bias: torch.matmul(x, kernel)
    if len(x.shape) == 2:
        return lambda x, kernel, bias: torch.addmm(bias, x, kernel)
    return lambda x, kernel, bias: linear(x, kernel.t(), bias)


KERNELS = {"matmul": torch.matmul, "dense": Specialized(_dense)}
