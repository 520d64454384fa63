"""Kernels of signal ops."""

from kbackend_tensorflow.kernels.signal import fft

KERNELS = {**fft.KERNELS}
