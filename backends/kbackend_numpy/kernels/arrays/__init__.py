"""Shape, order and arrangement of elements."""

from kbackend_numpy.kernels.arrays import arrangement, ranges

KERNELS = {**arrangement.KERNELS, **ranges.KERNELS}
