"""Elementwise functions."""

from kbackend_torch.kernels.elementwise import bitwise, complex, floating, functions, normal_quantile, special

KERNELS = {
    **bitwise.KERNELS,
    **complex.KERNELS,
    **floating.KERNELS,
    **functions.KERNELS,
    **normal_quantile.KERNELS,
    **special.KERNELS,
}
