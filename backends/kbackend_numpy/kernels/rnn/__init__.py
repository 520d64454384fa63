"""Kernels of recurrent ops."""

from kbackend_numpy.kernels.rnn import recurrent

KERNELS = {**recurrent.KERNELS}
