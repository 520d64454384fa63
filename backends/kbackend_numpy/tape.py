"""Differentiation on NumPy through HIPS autograd's boxes, kept on a flat tape that serves inner tensors too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
from autograd.core import VJPNode, sparse_add, sparse_object_types, vspace
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace
from autograd.tracer import Box, isbox, new_box, toposort

from kbackend import dtypes
from kbackend.plugin.contract import Tape


def _register(dtype: Any) -> None:
    """Make scalars of a dtype, which reductions of all axes return, known to autograd, as NumPy's own are."""
    ArrayBox.register(dtype.type)
    ArrayVSpace.register(dtype.type)


dtypes.when_bfloat16(_register)


class NumpyTape(Tape):
    """One autograd trace per level; level 0 is the outermost."""

    def watch(self, level: int, tensor: Any) -> Any:
        if _box_at(tensor, level) is not None:
            return tensor
        return new_box(tensor, level, VJPNode.new_root())

    def plain(self, tensor: Any, levels: tuple[int, ...]) -> Any:
        if not isbox(tensor):
            return tensor
        inner = self.plain(tensor._value, levels)
        return new_box(inner, tensor._trace, tensor._node) if tensor._trace in levels else inner

    def untaped(self, kernel: Any) -> Any:
        """Without autograd's search for boxes, which takes as long as NumPy's function of a small array."""
        if getattr(kernel, "_is_autograd_primitive", False):
            return kernel.fun
        return getattr(kernel, "untaped", kernel)

    def gradients(
        self, level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool
    ) -> Sequence[Any]:
        end = _box_at(loss, level)
        keys = [_box_at(t, level) for t in tensors]
        outer = tuple(range(level))
        values = [self.plain(t, outer) for t in tensors]
        if end is None:
            return tuple(anp.zeros_like(v) for v in values)
        wanted = {id(k._node): i for i, k in enumerate(keys) if k is not None}
        found: list[Any] = [None] * len(keys)
        pending: dict[Any, Any] = {end._node: anp.ones_like(end._value)}
        for node in toposort(end._node):
            gradient = pending.pop(node, None)
            if id(node) in wanted:
                found[wanted[id(node)]] = gradient
            if gradient is None:
                continue
            for parent, part in zip(node.parents, node.vjp(gradient), strict=False):
                if part is None:  # no gradient, which is not 0 where the rest of the chain is infinite
                    continue
                if (
                    type(part) in sparse_object_types
                ):  # of autograd's own indexing; it only adds to dense arrays
                    part = sparse_add(vspace(part), None, part)
                pending[parent] = part if parent not in pending else pending[parent] + part
        for i, key in enumerate(keys):  # the same tensor may be asked for twice
            if found[i] is None and key is not None and wanted[id(key._node)] != i:
                found[i] = found[wanted[id(key._node)]]
        return tuple(
            anp.zeros_like(v) if g is None else _like(g, v) for g, v in zip(found, values, strict=False)
        )


def _like(gradient: Any, value: Any) -> Any:
    """In the value's dtype. Inside, gradients are dL/dx - i dL/dy, for which the chain rule needs no conjugates."""
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "") == "c":
        gradient = anp.conj(gradient)
    return gradient if getattr(gradient, "dtype", dtype) == dtype else gradient.astype(dtype)


def _box_at(tensor: Any, level: int) -> Box | None:
    while isbox(tensor):
        if tensor._trace == level:
            return tensor
        tensor = tensor._value
    return None


__all__ = ["NumpyTape", "vspace"]
