"""Creation and casts."""

from kbackend_numpy.kernels.core import cast, creation

KERNELS = {**cast.KERNELS, **creation.KERNELS}
