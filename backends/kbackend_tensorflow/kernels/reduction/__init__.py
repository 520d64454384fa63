"""Reductions over axes."""

from kbackend_tensorflow.kernels.reduction import reductions

KERNELS = {**reductions.KERNELS}
