"""Kernels of image ops."""

from kbackend_tensorflow.kernels.image import resize

KERNELS = {**resize.KERNELS}
