"""Kernels of random ops."""

from kbackend_numpy.kernels.random import draws, portable

KERNELS = {**draws.KERNELS, **portable.KERNELS}
