"""Kernels of image ops."""

from kbackend_numpy.kernels.image import resize

KERNELS = {**resize.KERNELS}
