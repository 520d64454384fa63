"""Kernels of activations, convolution, pooling, normalization, attention, dropout and optimizer steps."""

from kbackend_torch.kernels.nn import (
    activations,
    attention,
    conv,
    conv_transpose,
    dropout,
    normalization,
    optimizer_steps,
)

KERNELS = {
    **activations.KERNELS,
    **attention.KERNELS,
    **conv.KERNELS,
    **conv_transpose.KERNELS,
    **dropout.KERNELS,
    **normalization.KERNELS,
    **optimizer_steps.KERNELS,
}
