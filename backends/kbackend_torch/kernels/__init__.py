"""The kernel table: op name -> kernel, a file a family."""

from kbackend_torch.kernels import (
    activation,
    control,
    convolution,
    creation,
    dropout,
    elementwise,
    foreign,
    linear,
    losses,
    normalization,
    optimizing,
    quantile,
    random,
    recurrent,
    reduction,
    shaping,
)

KERNELS = {
    **activation.KERNELS,
    **control.KERNELS,
    **convolution.KERNELS,
    **creation.KERNELS,
    **dropout.KERNELS,
    **elementwise.KERNELS,
    **foreign.KERNELS,
    **linear.KERNELS,
    **losses.KERNELS,
    **normalization.KERNELS,
    **optimizing.KERNELS,
    **quantile.KERNELS,
    **random.KERNELS,
    **recurrent.KERNELS,
    **reduction.KERNELS,
    **shaping.KERNELS,
}
