"""Linear algebra."""

from kbackend_tensorflow.kernels.linalg import decompositions, matmul, solve

KERNELS = {**decompositions.KERNELS, **matmul.KERNELS, **solve.KERNELS}
