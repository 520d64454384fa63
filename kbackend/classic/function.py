"""``K.function``: a callable that computes outputs from inputs and applies updates."""

from __future__ import annotations

from typing import Any

from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import ancestors, depends_on
from kbackend.ground.suggest import did_you_mean
from kbackend.lowering.program import FeedError
from kbackend.ops.core.updates import as_updates
from kbackend.ops.indexing.sparse import SparseTensor, coordinates
from kbackend.runtime.function import Function, checked_jit


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, jit: Any = None, **kwargs: Any
) -> Function:
    """A callable that computes outputs from inputs and applies updates.

    Args:
        inputs: a list of tensors to feed: placeholders, any other tensors, ``K.learning_phase()``.
        outputs: a list of tensors, computed from the state before the updates.
        updates: a list of ``K.update(...)`` or pairs (variable, new value). All take effect together after the
            outputs are computed, or none when an error is raised.
        **kwargs: none is known; Keras 2 passed them on to a session.
        name: a name for error messages and ``source``; None for "function".
        jit: None or False for the engine's plain mode; True for torch.compile or XLA (ignored by NumPy, which has no
            compiler); "auto" for the faster of the two, measured with the values of the first call and cached on disk.
            The measurement runs the function some dozens of times and restores all variables and random streams.

    Returns:
        A function of one list of values; see :class:`kbackend.runtime.function.Function`.

    Raises:
        TypeError: ``inputs``, ``outputs`` or ``updates`` is not a list or tuple, or has elements of another type.
        ValueError: an unknown keyword argument or ``jit``, a repeated input, or an output that depends on a
            placeholder that is not an input.

    >>> from kbackend import K
    >>> n = K.variable(1.0)
    >>> f = K.function([], [n], updates=[K.update_add(n, 1.0)])
    >>> float(f([])[0]), float(K.get_value(n))
    (1.0, 2.0)
    """
    if kwargs:
        raise ValueError(
            f"K.function got unknown keyword arguments {sorted(kwargs)}; it takes inputs, outputs, "
            f"updates, name and jit.{did_you_mean(min(kwargs), ('inputs', 'outputs', 'updates', 'jit'))}".rstrip(".")
        )
    checked_jit(jit)
    for label, value in (
        ("inputs", inputs),
        ("outputs", outputs),
        ("updates", [] if updates is None else updates),
    ):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"`{label}` to K.function must be a list or tuple, it is {type(value).__name__}")
    if any(isinstance(t, SparseTensor) for t in (*inputs, *outputs)):
        sparse_at = {i: t for i, t in enumerate(inputs) if isinstance(t, SparseTensor)}
        flat = [part for t in inputs for part in (t.parts if isinstance(t, SparseTensor) else (t,))]
        dense = [t.to_dense() if isinstance(t, SparseTensor) else t for t in outputs]
        return _SparseFunction(sparse_at, len(inputs), *_checked(flat, dense, updates, name), jit)
    return Function(*_checked(inputs, outputs, updates, name), jit)


def _checked(inputs: Any, outputs: Any, updates: Any, name: str | None) -> tuple[Any, Any, Any, str]:
    """The arguments of :class:`Function`, with the updates that the outputs contain."""
    for label, values in (("inputs", inputs), ("outputs", outputs)):
        for tensor in values:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"`{label}` to K.function must hold symbolic tensors, not {tensor!r}")
    _check_inputs(inputs)
    pairs = as_updates(updates)
    pairs += [
        as_updates([n.outputs[0]])[0]
        for n in ancestors([*outputs, *(v for _, v in pairs)], inputs)
        if n.op.role is Role.UPDATE
    ]
    _check_updates(pairs)
    _check_fed(inputs, [*outputs, *(value for _, value in pairs)], name or "function")
    return list(inputs), list(outputs), pairs, name or "function"


class _SparseFunction(Function):
    """A function with sparse inputs, each of which is fed as three dense tensors."""

    def __init__(self, sparse_at: dict[int, SparseTensor], count: int, *args: Any) -> None:
        super().__init__(*args)
        self._sparse_at, self._count = sparse_at, count

    def __call__(self, inputs: Any = (), as_numpy: bool = True) -> list[Any]:
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(f"{self.name}: `inputs` must be a list or tuple, it is {type(inputs).__name__}")
        if len(inputs) != self._count:
            raise FeedError(f"{self.name} takes {self._count} values, it was given {len(inputs)}")
        fed: list[Any] = []
        for place, value in enumerate(inputs):
            tensor = self._sparse_at.get(place)
            fed += [value] if tensor is None else self._parts(tensor, value)
        return super().__call__(fed, as_numpy)

    def _parts(self, tensor: SparseTensor, value: Any) -> list[Any]:
        indices, values, shape = coordinates(value, tensor.dtype)
        fits = len(shape) == tensor.ndim and all(a is None or a == b for a, b in zip(tensor.shape, shape))
        if not fits:
            raise FeedError(
                f"{self.name}: the sparse input {tensor.name!r} has shape {tensor.shape}, it was given "
                f"{tuple(shape.tolist())}"
            )
        return [indices, values, shape]


def _check_inputs(inputs: Any) -> None:
    seen: set[int] = set()
    for tensor in inputs:
        if id(tensor) in seen:
            raise ValueError(f"the input {tensor.name!r} is given twice")
        if isinstance(tensor, Variable):
            raise ValueError(
                f"the variable {tensor.name!r} cannot be an input; use K.set_value, or K.identity of it"
            )
        seen.add(id(tensor))


def _check_updates(pairs: list[tuple[Variable, Tensor]]) -> None:
    seen: dict[int, Tensor] = {}
    for variable, value in pairs:
        if seen.setdefault(id(variable), value) is not value:
            raise ValueError(f"the variable {variable.name!r} has two different updates")


def _check_fed(inputs: Any, results: list[Tensor], name: str) -> None:
    needed = [n.outputs[0] for n in ancestors(results, inputs) if n.op.role is Role.PLACEHOLDER]
    if not needed:
        return
    users = [r.name for r in results if any(depends_on([r], needed))]
    raise ValueError(
        f"{name}: {', '.join(users[:3])} depends on the placeholder{'s' if len(needed) > 1 else ''} "
        f"{', '.join(repr(t.name) for t in needed)}, which the inputs do not feed"
    )
