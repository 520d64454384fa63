"""The sizes of convolutions, and kernels of the two old conventions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.config import normalize_data_format
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = [
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "deconv_length",
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
]

_PADDINGS = ("valid", "same", "causal", "full")


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A number for each of ``n`` axes, from one for all or from a sequence of them.

    Raises:
        ValueError: other than one or ``n`` integers; the message has the ``name`` of the argument.

    >>> from kbackend.utils.conv_utils import normalize_tuple
    >>> normalize_tuple(3, 2, "kernel_size")
    (3, 3)
    """
    if isinstance(value, (int, np.integer)):
        return (int(value),) * n
    try:
        found = tuple(value)
    except TypeError:
        found = ()
    if len(found) != n or not all(isinstance(v, (int, np.integer)) for v in found):
        raise ValueError(f"{name} must be an integer or {n} integers, it is {value!r}")
    return tuple(map(int, found))


def normalize_padding(value: str) -> str:
    """'valid', 'same' or 'causal' in lower case.

    Raises:
        ValueError: another word.
    """
    padding = value.lower()
    if padding not in _PADDINGS[:3]:
        raise ValueError(f"padding must be 'valid', 'same' or 'causal', it is {value!r}")
    return padding


def convert_kernel(kernel: Any) -> np.ndarray:
    """A kernel mirrored along its spatial axes: from Theano's convolution to TensorFlow's correlation and back.

    Args:
        kernel: (..., inputs, outputs) with one to three spatial axes.

    Raises:
        ValueError: another number of axes.
    """
    array = np.asarray(kernel)
    if not 3 <= array.ndim <= 5:
        raise ValueError(f"a kernel has three to five axes, the shape is {array.shape}")
    return np.flip(array, tuple(range(array.ndim - 2))).copy()


def _checked(padding: str) -> str:
    if padding not in _PADDINGS:
        raise ValueError(f"padding must be one of {', '.join(_PADDINGS)}, it is {padding!r}")
    return padding


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of the result of a convolution, None where that of its input is None.

    Args:
        input_length: of the input.
        filter_size: of the kernel.
        padding: 'valid', 'same', 'causal' or 'full'.
        stride, dilation: of the convolution.

    >>> from kbackend.utils.conv_utils import conv_output_length
    >>> conv_output_length(10, 3, "valid", 2), conv_output_length(10, 3, "same", 2)
    (4, 5)
    """
    _checked(padding)
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    steps = input_length + {"valid": -reach, "full": reach}.get(padding, 0)
    return -(-steps // stride)


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The length of the input of a convolution, from that of its result.

    Args:
        output_length: of the result, None where it is not known.
        filter_size, padding, stride: as in :func:`conv_output_length`.
    """
    if _checked(padding) == "causal":
        raise ValueError("padding must be 'valid', 'same' or 'full', it is 'causal'")
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None,
    dilation: int = 1,
) -> int | None:
    """The length of the result of a transposed convolution, None where that of its input is None.

    Args:
        dim_size: of the input.
        stride_size, kernel_size, dilation: of the convolution.
        padding: 'valid', 'same' or 'full'.
        output_padding: what is added on one side; None for the length that inverts the convolution.

    >>> from kbackend.utils.conv_utils import deconv_length
    >>> deconv_length(4, 2, 3, "valid", None), deconv_length(4, 2, 3, "same", None)
    (9, 8)
    """
    if _checked(padding) == "causal":
        raise ValueError("padding must be 'valid', 'same' or 'full', it is 'causal'")
    if dim_size is None:
        return None
    kernel = (kernel_size - 1) * dilation + 1
    if output_padding is not None:
        pad = {"same": kernel // 2, "valid": 0, "full": kernel - 1}[padding]
        return (dim_size - 1) * stride_size + kernel - 2 * pad + output_padding
    added = {"valid": max(kernel - stride_size, 0), "full": 2 - stride_size - kernel, "same": 0}[padding]
    return dim_size * stride_size + added


_suggest_in(__name__)
