"""The kernel table, op name -> kernel; its folders are the families of kbackend/ops."""

from kbackend_numpy.kernels import (
    arrays,
    collective,
    control,
    core,
    elementwise,
    image,
    indexing,
    linalg,
    losses,
    nn,
    random,
    reduction,
    rnn,
    signal,
)

KERNELS = {
    **core.KERNELS,
    **elementwise.KERNELS,
    **reduction.KERNELS,
    **arrays.KERNELS,
    **indexing.KERNELS,
    **linalg.KERNELS,
    **control.KERNELS,
    **collective.KERNELS,
    **random.KERNELS,
    **nn.KERNELS,
    **losses.KERNELS,
    **rnn.KERNELS,
    **signal.KERNELS,
    **image.KERNELS,
}
