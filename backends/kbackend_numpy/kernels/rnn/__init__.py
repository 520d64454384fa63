"""Recurrent networks."""

from kbackend_numpy.kernels.rnn import recurrent

KERNELS = {**recurrent.KERNELS}
