"""Kernels of activations, convolution, pooling, normalization, attention, dropout and optimizer steps."""

from kbackend_tensorflow.kernels.nn import (
    activations,
    conv,
    conv_transpose,
    dropout,
    normalization,
    optimizer_steps,
)

KERNELS = {
    **activations.KERNELS,
    **conv.KERNELS,
    **conv_transpose.KERNELS,
    **dropout.KERNELS,
    **normalization.KERNELS,
    **optimizer_steps.KERNELS,
}
