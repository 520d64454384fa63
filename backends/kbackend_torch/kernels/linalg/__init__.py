"""Linear algebra."""

from kbackend_torch.kernels.linalg import decompositions, matmul, solve

KERNELS = {**decompositions.KERNELS, **matmul.KERNELS, **solve.KERNELS}
