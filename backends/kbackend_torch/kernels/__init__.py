"""The kernel table, op name -> kernel; its folders are the families of kbackend/ops."""

from kbackend_torch.kernels import (
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
    statistics,
)

KERNELS = {
    **core.KERNELS,
    **elementwise.KERNELS,
    **reduction.KERNELS,
    **statistics.KERNELS,
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
