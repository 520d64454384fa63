"""Kernels of recurrent ops."""

from kbackend_torch.kernels.rnn import masked, recurrent

KERNELS = {**masked.KERNELS, **recurrent.KERNELS}
