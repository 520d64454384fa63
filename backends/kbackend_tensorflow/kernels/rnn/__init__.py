"""Kernels of recurrent ops."""

from kbackend_tensorflow.kernels.rnn import recurrent

KERNELS = {**recurrent.KERNELS}
