"""Kernels of losses."""

from kbackend_torch.kernels.losses import crossentropy, ctc

KERNELS = {**crossentropy.KERNELS, **ctc.KERNELS}
