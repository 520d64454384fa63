"""Sparse tensors of coordinates and values, fed from SciPy's sparse matrices; their products are dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.reshape import expand_dims, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import classic_transpose, reverse
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.segment import reduce_rows


class SparseTensor:
    """A sparse tensor in coordinate format.

    Attributes:
        indices: int64 ``(elements, rank)``, the coordinates of the values; values with equal coordinates are added.
        values: ``(elements,)``.
        dense_shape: int64 ``(rank,)``.
        shape: the static shape, None for a dimension that is known only when a program runs.
        dtype: the dtype of the values.
    """

    is_sparse = True
    is_symbolic = True

    def __init__(self, indices: Tensor, values: Tensor, dense_shape: Tensor, shape: Shape, name: str) -> None:
        self.indices, self.values, self.dense_shape = indices, values, dense_shape
        self.shape, self.name = shape, name

    @property
    def dtype(self) -> str:
        return self.values.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """Indices, values and shape, as a function is fed with them."""
        return self.indices, self.values, self.dense_shape

    def size(self, axis: int) -> Any:
        """The size of an axis: an integer where it is known, else an int32 scalar."""
        known = self.shape[axis]
        return cast(self.dense_shape[axis], "int32") if known is None else known

    def to_dense(self) -> Tensor:
        """The dense tensor."""
        flat: Any = None
        for axis in range(self.ndim):
            position = self.indices[:, axis]
            flat = position if flat is None else flat * cast(self.size(axis), "int64") + position
        sizes = [self.size(axis) for axis in range(self.ndim)]
        total: Any = 1
        for size in sizes:
            total = total * size
        return reshape(reduce_rows(self.values, flat, total, "sum"), sizes)

    toarray = to_dense

    def product(self, x: Any, y: Any) -> Any:
        """The product of two matrices, one of them this tensor."""
        return sparse_dot(x, y)

    def joined(self, tensors: Sequence[Any], axis: int) -> SparseTensor:
        """Tensors joined along an axis, one of them this tensor."""
        return sparse_concatenate(tensors, axis)

    def numpy(self) -> np.ndarray:
        """The value as a dense NumPy array, where it depends on no placeholder."""
        return self.to_dense().numpy()

    def __repr__(self) -> str:
        return f"<SparseTensor {self.name!r} {self.shape} {self.dtype}>"


def is_scipy(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy."""
    return hasattr(value, "tocoo") and hasattr(value, "nnz")


def coordinates(value: Any, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, values and shape of a sparse or dense matrix."""
    if is_scipy(value):
        coo = value.tocoo()
        positions = coo.coords if hasattr(coo, "coords") else (coo.row, coo.col)
        data, shape = coo.data, coo.shape
    else:
        array = to_numpy(value)
        positions, shape = np.nonzero(array), array.shape
        data = array[positions]
    indices = np.stack([np.asarray(p, np.int64) for p in positions], axis=1)
    return indices, np.asarray(data).astype(dtypes.numpy_dtype(dtype)), np.asarray(shape, np.int64)


def sparse_dot(x: Any, y: Any) -> Any:
    """The product of two matrices, one of them sparse, or of a sparse matrix and a dense vector.

    Raises:
        ValueError: another rank, or sizes that do not fit.
    """
    if not isinstance(x, SparseTensor):
        return classic_transpose(sparse_dot(_transposed(y), classic_transpose(x)))
    if isinstance(y, SparseTensor):
        y = y.to_dense()
    if x.ndim != 2 or len(y.shape) not in (1, 2):
        shapes = f"{x.shape} and {tuple(y.shape)}"
        raise ValueError(f"a sparse product takes matrices, or a vector on the right, not {shapes}")
    if None not in (x.shape[1], y.shape[0]) and x.shape[1] != y.shape[0]:
        raise ValueError(f"the sizes of a sparse product do not fit: {x.shape} and {tuple(y.shape)}")
    if len(y.shape) == 1:
        return squeeze_axis(sparse_dot(x, expand_dims(y, 1)), 1)
    rows, columns = x.indices[:, 0], x.indices[:, 1]
    terms = expand_dims(x.values, 1) * gather(y, columns)
    return reduce_rows(terms, rows, x.size(0), "sum")


def _transposed(x: SparseTensor) -> SparseTensor:
    if x.ndim != 2:
        raise ValueError(f"a sparse product takes matrices, not {x.shape}")
    return SparseTensor(
        reverse(x.indices, 1), x.values, reverse(x.dense_shape, 0), x.shape[::-1], x.name
    )


def sparse_concatenate(tensors: Sequence[Any], axis: int) -> Any:
    """Sparse tensors joined along an axis; a dense tensor if one of them is dense.

    Raises:
        ValueError: other ranks or dimensions that differ, or an axis out of range.
    """
    if not all(isinstance(t, SparseTensor) for t in tensors):
        return concatenate_last([t.to_dense() if isinstance(t, SparseTensor) else t for t in tensors], axis)
    first: SparseTensor = tensors[0]
    place = axis % first.ndim if -first.ndim <= axis < first.ndim else None
    shapes = [t.shape for t in tensors]
    if place is None or any(not _fits(first.shape, s, place) for s in shapes):
        raise ValueError(f"sparse tensors of the shapes {shapes} cannot be concatenated along axis {axis}")
    unit = np.eye(first.ndim, dtype=np.int64)[place]
    indices, offset = [], constant(0, "int64")
    for t in tensors:
        indices.append(t.indices + offset * unit)
        offset = offset + t.dense_shape[place]
    dense_shape = first.dense_shape * (1 - unit) + offset * unit
    total = None if any(s[place] is None for s in shapes) else sum(s[place] or 0 for s in shapes)
    shape = (*first.shape[:place], total, *first.shape[place + 1 :])
    values = concatenate_last([t.values for t in tensors], 0)
    return SparseTensor(concatenate_last(indices, 0), values, dense_shape, shape, "concatenate")


def _fits(a: Shape, b: Shape, axis: int) -> bool:
    pairs = [(x, y) for i, (x, y) in enumerate(zip(a, b)) if i != axis]
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in pairs)
