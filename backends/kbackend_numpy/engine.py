"""The backend object of the NumPy engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Backend
from kbackend_numpy.gaps import GAPS
from kbackend_numpy.kernels import KERNELS
from kbackend_numpy.tape import NumpyTape


class NumpyBackend(Backend):
    """Arrays are ``np.ndarray``; programs run as plain Python."""

    name = "numpy"
    kernels = KERNELS
    gaps = GAPS
    tape = NumpyTape()
    install = "pip install kbackend"

    def version(self) -> str:
        return np.__version__

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))

    def spec(self, tensor: Any) -> TensorSpec:
        return TensorSpec(tensor.shape, dtypes.canonical(tensor.dtype))

    def dtype_of(self, tensor: Any) -> str:
        return dtypes.canonical(tensor.dtype)

    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        return np.array(array)

    def feed(self, array: np.ndarray, device: str) -> Any:
        return array

    def to_numpy(self, tensor: Any) -> np.ndarray:
        return np.asarray(tensor)

    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        return np.array(cell)

    def copy(self, tensor: Any) -> Any:
        return np.array(tensor)
