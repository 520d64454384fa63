"""The functions of K for sparse tensors."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.ranges import classic_arange
from kbackend.ops.arrays.reshape import expand_dims, reshape, shape
from kbackend.ops.core.cast import cast
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.searching import nonzero
from kbackend.ops.indexing.sparse import SparseTensor


def is_sparse(tensor: Any) -> bool:
    """Whether ``tensor`` is sparse: a sparse tensor of K or of an engine, or a SciPy matrix.

    Args:
        tensor: any value.

    Returns:
        A bool.

    >>> from kbackend import K
    >>> K.is_sparse(K.placeholder((2, 3), sparse=True)), K.is_sparse(K.placeholder((2, 3)))
    (True, False)
    """
    sparse = getattr(tensor, "is_sparse", False) is True or type(tensor).__name__ == "SparseTensor"
    return sparse or hasattr(tensor, "tocoo")


def to_dense(tensor: Any) -> Any:
    """The dense equivalent of a sparse tensor or SciPy matrix.

    Args:
        tensor: any value.

    Returns:
        A dense tensor or array of the same shape and dtype; ``tensor`` itself if it is not sparse.

    >>> from kbackend import K
    >>> K.int_shape(K.to_dense(K.placeholder((2, 3), sparse=True)))
    (2, 3)
    """
    for method in ("toarray", "to_dense"):
        if is_sparse(tensor) or method == "toarray":
            found = getattr(tensor, method, None)
            if found is not None:
                return found()
    return tensor


@derived
def ctc_label_dense_to_sparse(labels: TensorLike, label_lengths: TensorLike) -> SparseTensor:
    """Convert padded labels to a sparse tensor that holds only the valid ones.

    Args:
        labels: integers (batch, length).
        label_lengths: the number of valid labels in each row, integers (batch,).

    Returns:
        A sparse tensor of the shape and dtype of ``labels``, whose values are the valid labels in row-major order,
        zeros included.

    Raises:
        ValueError: other ranks.

    >>> from kbackend import K
    >>> sparse = K.ctc_label_dense_to_sparse(K.constant([[3, 4], [5, 0]], "int32"), K.constant([2, 1], "int32"))
    >>> K.eval(sparse.values).tolist()
    [3, 4, 5]
    """
    if len(labels.shape) != 2 or len(label_lengths.shape) != 1:
        raise ValueError(
            f"labels (batch, length) and lengths (batch,) are needed, not {tuple(labels.shape)} and "
            f"{tuple(label_lengths.shape)}"
        )
    count = length(labels, 1)
    positions = classic_arange(0, count, dtype="int32")
    rows, columns = nonzero(positions < expand_dims(cast(label_lengths, "int32"), 1))
    indices = cast(stack([rows, columns], axis=1), "int64")
    values = gather(reshape(labels, (-1,)), rows * count + columns)
    known = tuple(None if d is None else int(d) for d in labels.shape)
    return SparseTensor(indices, values, cast(shape(labels), "int64"), known, "labels")
