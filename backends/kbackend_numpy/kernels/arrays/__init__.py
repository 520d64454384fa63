"""Shapes, joining, splitting, padding and ranges."""

from kbackend_numpy.kernels.arrays import arrangement, ranges

KERNELS = {**arrangement.KERNELS, **ranges.KERNELS}
