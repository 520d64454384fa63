"""Kernels of control flow, custom gradients and foreign functions and modules."""

from kbackend_tensorflow.kernels.control import custom_gradient, flow, foreign, module

KERNELS = {**custom_gradient.KERNELS, **flow.KERNELS, **foreign.KERNELS, **module.KERNELS}
