"""Recurrent networks."""

from kbackend_tensorflow.kernels.rnn import recurrent

KERNELS = {**recurrent.KERNELS}
