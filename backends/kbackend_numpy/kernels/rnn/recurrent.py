"""Recurrent kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.arrays.arrangement import reverse
from kbackend_numpy.lstm import lstm as sequence


def lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: bool) -> Any:
    zeros = np.zeros((x.shape[0], recurrent.shape[0]), x.dtype)
    bias = np.zeros(4 * recurrent.shape[0], x.dtype) if bias is None else bias
    x = reverse(x, (1,)) if go_backwards else x
    return sequence(x, zeros if h is None else h, zeros if c is None else c, kernel, recurrent, bias)


KERNELS = {"lstm": lstm}
