"""Kernels of control flow, custom gradients and foreign functions."""

from kbackend_numpy.kernels.control import custom_gradient, flow, foreign

KERNELS = {**custom_gradient.KERNELS, **flow.KERNELS, **foreign.KERNELS}
