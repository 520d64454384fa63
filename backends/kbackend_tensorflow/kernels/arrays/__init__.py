"""Shapes, joining, splitting, padding and ranges."""

from kbackend_tensorflow.kernels.arrays import arrangement, ranges

KERNELS = {**arrangement.KERNELS, **ranges.KERNELS}
