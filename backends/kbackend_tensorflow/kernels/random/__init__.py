"""Kernels of random ops."""

from kbackend_tensorflow.kernels.random import draws

KERNELS = {**draws.KERNELS}
