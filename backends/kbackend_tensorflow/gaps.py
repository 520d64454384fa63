"""Kernels that this backend does not have, with the reason."""

from kbackend.plugin.gaps import Gap, never

GAPS: dict[str, Gap] = {
    "convolution": never("TensorFlow with oneDNN gives the shape of x for an empty batch", "empty batch"),
    "convolution_transpose": never("its gradient is TensorFlow's convolution of an empty batch", "empty batch"),
    "softmax": never("TensorFlow leaves numbers beside a NaN in float32; looking for it would cost a pass", "NaN"),
}
