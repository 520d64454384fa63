"""Kernels of signal ops."""

from kbackend_torch.kernels.signal import fft

KERNELS = {**fft.KERNELS}
