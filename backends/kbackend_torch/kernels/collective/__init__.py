"""Kernels of ops across processes."""

from kbackend_torch.kernels.collective import reduce

KERNELS = {**reduce.KERNELS}
