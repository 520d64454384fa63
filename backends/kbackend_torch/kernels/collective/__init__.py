"""Kernels of ops across processes."""

from kbackend_torch.kernels.collective import pieces, reduce, replicate

KERNELS = {**pieces.KERNELS, **reduce.KERNELS, **replicate.KERNELS}
