"""Elementwise functions."""

from kbackend_tensorflow.kernels.elementwise import bitwise, complex, floating, functions, special

KERNELS = {**bitwise.KERNELS, **complex.KERNELS, **floating.KERNELS, **functions.KERNELS, **special.KERNELS}
