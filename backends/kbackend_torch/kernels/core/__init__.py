"""Creation and casts."""

from kbackend_torch.kernels.core import cast, creation

KERNELS = {**cast.KERNELS, **creation.KERNELS}
