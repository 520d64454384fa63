"""Kernels of losses."""

from kbackend_numpy.kernels.losses import crossentropy, ctc

KERNELS = {**crossentropy.KERNELS, **ctc.KERNELS}
