"""Kernels of control flow, custom gradients and foreign functions."""

from kbackend_torch.kernels.control import custom_gradient, flow, foreign

KERNELS = {**custom_gradient.KERNELS, **flow.KERNELS, **foreign.KERNELS}
