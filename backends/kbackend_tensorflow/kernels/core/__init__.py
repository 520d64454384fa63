"""Creation and casts."""

from kbackend_tensorflow.kernels.core import cast, creation

KERNELS = {**cast.KERNELS, **creation.KERNELS}
