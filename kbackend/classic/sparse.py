"""Sparse tensors, as Keras 2 asks for them."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.ranges import classic_arange
from kbackend.ops.arrays.reshape import expand_dims, extent, reshape, shape
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.searching import nonzero
from kbackend.ops.indexing.sparse import SparseTensor


def is_sparse(tensor: Any) -> bool:
    """Whether ``tensor`` is sparse: one of K's sparse tensors, of SciPy's matrices or of an engine's tensors."""
    sparse = getattr(tensor, "is_sparse", False) is True or type(tensor).__name__ == "SparseTensor"
    return sparse or hasattr(tensor, "tocoo")


def to_dense(tensor: Any) -> Any:
    """A dense tensor from a sparse one, of SciPy or of an engine; a dense one is returned as it is."""
    for method in ("toarray", "to_dense"):
        if is_sparse(tensor) or method == "toarray":
            found = getattr(tensor, method, None)
            if found is not None:
                return found()
    return tensor


@derived
def ctc_label_dense_to_sparse(labels: TensorLike, label_lengths: TensorLike) -> SparseTensor:
    """The labels that count, as a sparse tensor.

    Args:
        labels: integers (batch, length).
        label_lengths: how many of them count, (batch,).

    Returns:
        A sparse tensor of the shape and dtype of ``labels``; its values are row by row the labels that count, zeros
        among them too.

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
    length = extent(labels, (1,)) if labels.shape[1] is None else labels.shape[1]
    places = classic_arange(0, length, dtype="int32")
    rows, columns = nonzero(places < expand_dims(cast(label_lengths, "int32"), 1))
    indices = cast(stack([rows, columns], axis=1), "int64")
    flat = multiply(rows, length) + columns
    values = gather(reshape(labels, (-1,)), flat)
    known = tuple(None if d is None else int(d) for d in labels.shape)
    return SparseTensor(indices, values, cast(shape(labels), "int64"), known, "labels")
