"""Signals."""

from kbackend_tensorflow.kernels.signal import fft

KERNELS = {**fft.KERNELS}
