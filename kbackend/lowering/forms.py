"""Algebraic rewrites of expressions to numerically stable or cheaper forms.

Crossentropies of a softmax or sigmoid are computed from the logits, and max pooling of a relu before the relu.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor

_FORMS: dict[str, Callable[[Node], Sequence[Tensor] | None]] = {}


def stable_form(node: Node) -> Sequence[Tensor] | None:
    """The tensors that replace the node's outputs, or None."""
    form = _FORMS.get(node.op.name)
    return form(node) if form is not None else None


def _crossentropy_of(activation: str) -> Callable[[Node], Sequence[Tensor] | None]:
    """A crossentropy of ``activation(logits)`` becomes the crossentropy of the logits."""

    def form(node: Node) -> Sequence[Tensor] | None:
        target, output = node.args
        if node.attrs["from_logits"] or output.node.op.name != activation:
            return None
        attrs = dict(node.attrs)
        if "axis" in attrs and not _same_axis(attrs["axis"], output):
            return None
        result = node.op.apply((target, output.node.args[0]), {**attrs, "from_logits": True})  # type: ignore[attr-defined]
        return (result,)

    return form


def _same_axis(axis: int, output: Tensor) -> bool:
    return axis % output.ndim == output.node.attrs["axis"] % output.ndim


def _pool_before_relu(node: Node) -> Sequence[Tensor] | None:
    """Max pooling commutes with relu, which is then applied to fewer elements."""
    (x,) = node.args
    if x.node.op.name != "relu":
        return None
    pooled = node.op.apply(x.node.args, node.attrs)  # type: ignore[attr-defined]
    return (x.node.op.apply((pooled,), x.node.attrs),)


def _mean_of_mean(node: Node) -> Sequence[Tensor] | None:
    """A mean over some axes of a mean over others is one mean over all of them."""
    (x,) = node.args
    if x.node.op.name != "mean" or x.node.attrs["keepdims"] or node.attrs["keepdims"]:
        return None
    (source,) = x.node.args
    first = _axes(x.node.attrs["axis"], source.ndim)
    left = [a for a in range(source.ndim) if a not in first]
    both = tuple(sorted({*first, *(left[a] for a in _axes(node.attrs["axis"], x.ndim))}))
    return (node.op.apply((source,), {**node.attrs, "axis": both}),)  # type: ignore[attr-defined]


def _axes(axis: Sequence[int] | None, ndim: int) -> list[int]:
    return list(range(ndim)) if axis is None else [a % ndim for a in axis]


_FORMS["mean"] = _mean_of_mean
_FORMS["categorical_crossentropy"] = _crossentropy_of("softmax")
_FORMS["sparse_categorical_crossentropy"] = _crossentropy_of("softmax")
_FORMS["binary_crossentropy"] = _crossentropy_of("sigmoid")
_FORMS["max_pool"] = _pool_before_relu
