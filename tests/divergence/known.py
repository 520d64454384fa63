"""Known differences between engines with what corrects them taken out: kernels as engines have them of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kbackend.plugin.contract import Specialized
from kbackend.plugin.geometry import same_pairs


class Known(NamedTuple):
    """A difference.

    Attributes:
        op: the op, in the model :func:`divergence.models.differences`.
        layer: its layer.
        row: its row in docs/semantics.md.
        kernel: a function of the backend that gives the kernel without the correction.
    """

    op: str
    layer: str
    row: int
    kernel: Callable[[Any], Any]


def symmetric(backend: Any) -> Any:
    """PyTorch pads both ends alike, where TensorFlow pads the end more."""

    def convolution(x: Any, kernel: Any, bias: Any, *, strides: Any, padding: Any, **attrs: Any) -> Any:
        pads = [max(pair) for pair in same_pairs(x.shape[1:3], kernel.shape[:2], strides, (1, 1))]
        if backend.name == "torch":
            x, kernel = x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1)
            return _torch().conv2d(x, kernel, bias, strides, pads).permute(0, 2, 3, 1)
        tf = _tensorflow()
        return tf.nn.conv2d(tf.pad(x, [(0, 0), *((p, p) for p in pads), (0, 0)]), kernel, strides, "VALID") + bias

    return convolution


def padding_counted(backend: Any) -> Any:
    """PyTorch's average of windows counts the padding."""

    def avg_pool(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        rows, columns = same_pairs(x.shape[1:3], window, strides, (1, 1))
        if backend.name == "torch":
            padded = _torch().pad(x.permute(0, 3, 1, 2), (*columns, *rows))
            return _torch().avg_pool2d(padded, window, strides).permute(0, 2, 3, 1)
        tf = _tensorflow()
        return tf.nn.avg_pool(tf.pad(x, [(0, 0), rows, columns, (0, 0)]), window, strides, "VALID")

    return avg_pool


def hard_sigmoid(backend: Any) -> Any:
    """PyTorch's, and that of Keras 3 on TensorFlow: x / 6 + 0.5 between 0 and 1."""
    if backend.name == "torch":
        return _torch().hardsigmoid
    tf = _tensorflow()
    return lambda x: tf.nn.relu6(x + 3) / 6


def gelu(backend: Any) -> Any:
    """The tanh form, Keras 3's default on TensorFlow."""
    if backend.name == "torch":
        return lambda x, approximate: _torch().gelu(x, approximate="tanh")
    return lambda x, approximate: _tensorflow().nn.gelu(x, approximate=True)


def leaky_relu(backend: Any) -> Any:
    """The slope that PyTorch's function has by default."""
    if backend.name == "torch":
        return lambda x, negative_slope: _torch().leaky_relu(x)
    return lambda x, negative_slope: _tensorflow().nn.leaky_relu(x, 0.01)


def corners(backend: Any) -> Any:
    """Nearest pixels counted from the corners, as PyTorch and TensorFlow 1 do, instead of from the centres."""

    def resize(x: Any, sizes: Any = (), *, size: Any, **attrs: Any) -> Any:
        if backend.name == "torch":
            return _torch().interpolate(x.permute(0, 3, 1, 2), size=size, mode="nearest").permute(0, 2, 3, 1)
        return _tensorflow().compat.v1.image.resize_nearest_neighbor(x, size, half_pixel_centers=False)

    return resize


def _torch() -> Any:
    import torch

    return torch.nn.functional


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


def unbiased(backend: Any) -> Any:
    """TensorFlow's fused batch normalization and PyTorch's moving statistics divide by n - 1."""
    inner = backend.kernels["normalize_batch_in_training"]

    def factory(specs: Any, **attrs: Any) -> Any:
        call = inner.factory(specs, **attrs) if isinstance(inner, Specialized) else lambda *a: inner(*a, **attrs)

        def normalize(x: Any, *rest: Any) -> Any:
            normed, mean, var = call(x, *rest)
            if backend.name == "torch":
                return normed, mean, var * (x.numel() / (x.numel() - mean.numel()))
            size = _tensorflow().size
            return normed, mean, var * _tensorflow().cast(size(x) / (size(x) - size(mean)), var.dtype)

        return normalize

    return Specialized(factory)


KNOWN = {
    "padding of a convolution": Known("convolution", "stem", 1, symmetric),
    "padding that is counted": Known("avg_pool", "pool", 2, padding_counted),
    "nearest pixels": Known("resize", "larger", 6, corners),
    "variance": Known("normalize_batch_in_training", "norm", 9, unbiased),
    "hard sigmoid": Known("hard_sigmoid", "gate", 16, hard_sigmoid),
    "gelu": Known("gelu", "bent", 17, gelu),
    "slope": Known("leaky_relu", "stem", 18, leaky_relu),
}
