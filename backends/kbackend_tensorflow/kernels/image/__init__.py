"""Images."""

from kbackend_tensorflow.kernels.image import resize

KERNELS = {**resize.KERNELS}
