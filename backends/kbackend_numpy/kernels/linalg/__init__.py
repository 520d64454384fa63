"""Linear algebra."""

from kbackend_numpy.kernels.linalg import decompositions, matmul, solve

KERNELS = {**decompositions.KERNELS, **matmul.KERNELS, **solve.KERNELS}
