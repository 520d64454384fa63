"""The normal quantile; on the CPU computed by NumPy, which evaluates the tails only for the elements in them."""

from __future__ import annotations

from typing import Any

import torch

from kbackend.declare.op import REGISTRY
from kbackend.plugin.host import normal_quantile as host


def normal_quantile(q: Any) -> Any:
    if q.is_cpu:
        return torch.from_numpy(host.normal_quantile(q.detach().numpy()))
    return REGISTRY["normal_quantile"].function(q)


KERNELS = {"normal_quantile": normal_quantile}
