"""Kernels of random ops."""

from kbackend_torch.kernels.random import draws, portable

KERNELS = {**draws.KERNELS, **portable.KERNELS}
