"""Kernels of ops across processes."""

from kbackend_tensorflow.kernels.collective import reduce

KERNELS = {**reduce.KERNELS}
