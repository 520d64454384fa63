"""The backend object of the NumPy engine."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Backend
from kbackend.plugin.processes.launch import MPIRUN
from kbackend_numpy import blas, processes
from kbackend_numpy.gaps import GAPS
from kbackend_numpy.kernels import KERNELS
from kbackend_numpy.native import NATIVE_KERNELS
from kbackend_numpy.quiet import QUIET, quieted
from kbackend_numpy.tape import NumpyTape


class NumpyBackend(Backend):
    """Arrays are ``np.ndarray``; programs run as plain Python."""

    name = "numpy"
    kernels = KERNELS
    gaps = GAPS
    native_kernels = NATIVE_KERNELS
    tape = NumpyTape()
    tensor_type = np.ndarray
    tensor_key = staticmethod(attrgetter("dtype", "shape"))
    uses_malloc = True
    quiet = QUIET
    threads_scope = "process"
    launcher = MPIRUN

    def version(self) -> str:
        return np.__version__

    def threads(self) -> int:
        """Those of the BLAS. Its own functions take the place of the methods as soon as it has been found."""
        self.threads, self.set_threads = blas.functions()  # type: ignore[method-assign]
        return self.threads()

    def set_threads(self, number: int) -> None:
        self.threads, self.set_threads = blas.functions()  # type: ignore[method-assign]
        self.set_threads(number)

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
        array = np.asarray(tensor)
        return (
            array if array.flags.writeable else np.array(array)
        )  # gradients of sums are views of one number

    def guarded(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return quieted(function)(*args, **kwargs)

    def compile(self, emitted: Any, target: Any, jit: Any) -> Any:
        return quieted(super().compile(emitted, target, jit))

    def join(self, launch: Any, device: str, timeout: float) -> Any:
        return processes.join(launch, timeout)

    def exporting(self) -> Any:
        from kbackend_numpy.exporting import EXPORTING

        return EXPORTING

    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        return np.array(cell)

    def copy(self, tensor: Any) -> Any:
        return np.array(tensor)
