"""Kernels of ops across processes."""

from kbackend_numpy.kernels.collective import reduce

KERNELS = {**reduce.KERNELS}
