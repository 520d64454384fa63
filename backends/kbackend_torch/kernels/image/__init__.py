"""Kernels of image ops."""

from kbackend_torch.kernels.image import resize

KERNELS = {**resize.KERNELS}
