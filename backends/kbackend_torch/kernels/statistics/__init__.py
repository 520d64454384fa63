"""Statistics."""

from kbackend_torch.kernels.statistics import moments

KERNELS = {**moments.KERNELS}
