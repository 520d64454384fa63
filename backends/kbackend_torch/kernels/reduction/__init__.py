"""Reductions over axes."""

from kbackend_torch.kernels.reduction import reductions

KERNELS = {**reductions.KERNELS}
