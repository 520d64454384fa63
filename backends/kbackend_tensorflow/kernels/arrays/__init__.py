"""Shape, order and arrangement of elements."""

from kbackend_tensorflow.kernels.arrays import arrangement, ranges

KERNELS = {**arrangement.KERNELS, **ranges.KERNELS}
