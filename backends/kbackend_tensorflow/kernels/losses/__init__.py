"""Kernels of losses."""

from kbackend_tensorflow.kernels.losses import crossentropy, ctc

KERNELS = {**crossentropy.KERNELS, **ctc.KERNELS}
