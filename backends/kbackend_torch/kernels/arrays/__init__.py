"""Shapes, joining, splitting, padding and ranges."""

from kbackend_torch.kernels.arrays import arrangement, ranges

KERNELS = {**arrangement.KERNELS, **ranges.KERNELS}
