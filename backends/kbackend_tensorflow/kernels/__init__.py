"""The kernel table: op name -> kernel, a file a family."""

from kbackend_tensorflow.kernels import (
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
    random,
    ranking,
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
    **random.KERNELS,
    **ranking.KERNELS,
    **recurrent.KERNELS,
    **reduction.KERNELS,
    **shaping.KERNELS,
}
