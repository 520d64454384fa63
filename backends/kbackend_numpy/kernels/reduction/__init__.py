"""Reductions over axes."""

from kbackend_numpy.kernels.reduction import reductions

KERNELS = {**reductions.KERNELS}
