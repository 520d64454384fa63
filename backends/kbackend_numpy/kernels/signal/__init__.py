"""Kernels of signal ops."""

from kbackend_numpy.kernels.signal import fft

KERNELS = {**fft.KERNELS}
