"""Kernels of recurrent ops."""

from kbackend_torch.kernels.rnn import recurrent

KERNELS = {**recurrent.KERNELS}
