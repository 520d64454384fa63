"""Feeds: checks of the values for the inputs of a function, casts and transfer to the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Shape, Tensor
from kbackend.lowering.program import FeedError
from kbackend.plugin.contract import Target


class FeedCheck:
    """Checks and converts the values of one input."""

    def __init__(self, function: str, tensor: Tensor) -> None:
        self.where = f"{function}: input {tensor.name!r}"
        self.tensor = tensor
        self.shape = tensor.shape
        self.dtype = tensor.dtype
        self.numpy_dtype = dtypes.numpy_dtype(tensor.dtype) if tensor.dtype != "bfloat16" else None

    def __call__(self, value: Any, target: Target, empty: list[Tensor]) -> Any:
        """The value as a tensor of the target; the input is added to ``empty`` if it has no elements."""
        backend = target.backend
        if backend.is_tensor(value) and not isinstance(value, np.ndarray):
            spec = backend.spec(value)
            self.check_shape(spec.shape)
            if 0 in spec.shape:
                empty.append(self.tensor)
            if spec.dtype == self.dtype:
                return target.place(value)
            self.check_dtype(spec.dtype)
            if dtypes.is_integer(spec.dtype):
                self.converted(backend.to_numpy(value))
            return backend.kernels["cast"](target.place(value), dtype=self.dtype)
        if isinstance(value, Tensor):
            raise FeedError(f"{self.where} needs a value, it was given the symbolic {value!r}")
        try:
            array = to_numpy(value)
        except (TypeError, ValueError) as error:
            raise FeedError(
                f"{self.where} cannot take a value of type {type(value).__name__}: {error}"
            ) from None
        self.check_shape(array.shape)
        if not array.size:
            empty.append(self.tensor)
        if self.numpy_dtype is None or array.dtype != self.numpy_dtype:  # NumPy interprets None as float64
            self.check_dtype(array.dtype)
            array = self.converted(array)
        return target.feed(array)

    def converted(self, array: np.ndarray) -> np.ndarray:
        try:
            return dtypes.converted(array, self.dtype)
        except OverflowError as error:
            raise FeedError(f"{self.where}: {error}") from None

    def check_shape(self, shape: Shape) -> None:
        if len(shape) != len(self.shape):
            raise FeedError(
                f"{self.where} has rank {len(self.shape)} {self.shape}; "
                f"it was given rank {len(shape)} {tuple(shape)}"
            )
        for size, expected in zip(shape, self.shape):
            if expected is not None and size != expected:
                raise FeedError(f"{self.where} has shape {self.shape}, it was given {tuple(shape)}")

    def check_dtype(self, dtype: Any) -> None:
        try:
            given = dtypes.canonical(dtype)
        except TypeError:
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {dtype}") from None
        if dtypes.is_complex(given) and not dtypes.is_complex(self.dtype):
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {given}; take its real part")
        if dtypes.is_float(given) and not dtypes.is_inexact(self.dtype):
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {given}; cast it explicitly")
        if self.dtype == dtypes.BOOL and given != dtypes.BOOL:
            raise FeedError(f"{self.where} has dtype bool, it was given {given}; compare it explicitly")
