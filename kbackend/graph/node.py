"""Nodes: one application of an op to tensors. Immutable, verified when made, numbered in order of making.

A node can only refer to tensors that exist, so numbers grow along every edge: sorting by number is a topological
order, and no graph made in Python holds a cycle.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from kbackend.graph.show import node_line
from kbackend.graph.tensor import Tensor, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Role(Enum):
    """What a program does with a node."""

    #: call the kernel of its op, or compute what the op is composed of
    KERNEL = "kernel"
    #: hold the value
    CONSTANT = "constant"
    #: take the value that is fed
    PLACEHOLDER = "placeholder"
    #: read the state
    VARIABLE = "variable"
    #: be 0 or 1, as the program is made for testing or training
    PHASE = "phase"
    #: take the operand of the phase
    PHASE_SELECT = "phase select"
    #: give a variable the value of an operand afterwards
    UPDATE = "update"
    #: differentiate
    GRADIENTS = "gradients"


class OpLike(Protocol):
    """What the graph needs to know of an op; :class:`kbackend.declare.op.Op` says what it means."""

    name: str
    role: Role
    pure: bool
    rowwise: bool
    differentiable: bool
    random: bool
    view: bool
    captures: str | None
    hyperparameters: tuple[str, ...]
    runs_user_code: bool
    operands: tuple[str, ...]

    @property
    def kind(self) -> str: ...

    @property
    def inference(self) -> Callable[..., Any] | None: ...

    @property
    def static_value(self) -> Callable[[Node], Any] | None: ...

    @property
    def stable_form(self) -> Callable[[Node], Sequence[Tensor] | None] | None: ...

    def prepared(self, specs: Sequence[Any], attrs: Mapping[str, Any]) -> dict[str, Any]: ...

    def apply(self, args: Sequence[Any], attrs: Any) -> Any: ...


_numbers = itertools.count()
_scope: ContextVar[tuple[str, ...]] = ContextVar("kbackend_name_scope", default=())


def next_number() -> int:
    """A number larger than those of all nodes made so far and smaller than those of all later ones."""
    return next(_numbers)


class Node:
    """One application of ``op`` to ``args``, with ``attrs``, giving ``outputs``.

    Attributes:
        op: the declared op.
        args: the operands by position: a Tensor, a tuple of Tensors, or None.
        inputs: the operands, flat, without the absent ones.
        attrs: the attributes, plain Python values.
        outputs: the tensors made.
        number: grows with each node made.
        name: unique within its scope only by convention; given or made from the op.
    """

    __slots__ = (
        "op", "args", "inputs", "attrs", "outputs", "number", "name", "_expansion", "single", "__weakref__"
    )  # fmt: skip

    op: OpLike
    args: tuple[Any, ...]
    inputs: tuple[Tensor, ...]
    attrs: Mapping[str, Any]
    outputs: tuple[Tensor, ...]
    number: int
    name: str
    single: bool
    _expansion: tuple[Tensor, ...] | None

    def __init__(
        self,
        op: OpLike,
        args: Sequence[Any],
        attrs: Mapping[str, Any],
        specs: Sequence[TensorSpec],
        name: str | None = None,
        single: bool = True,
        tensor_type: Callable[..., Tensor] = Tensor,
    ) -> None:
        number = next(_numbers)
        name = name or scoped(f"{op.name}_{number}")
        put = object.__setattr__
        put(self, "op", op)
        args = tuple(args)
        put(self, "args", args)
        put(self, "inputs", _flat(args))
        put(self, "attrs", MappingProxyType(dict(attrs)))
        put(self, "number", number)
        put(self, "name", name)
        put(self, "single", single)
        put(self, "_expansion", None)
        if single and len(specs) == 1:
            put(self, "outputs", (tensor_type(self, 0, specs[0], name),))
            return
        named = [name if single else f"{name}:{i}" for i in range(len(specs))]
        put(self, "outputs", tuple([tensor_type(self, i, spec, named[i]) for i, spec in enumerate(specs)]))

    def __setattr__(self, key: str, value: Any) -> None:
        raise AttributeError(
            f"node {self.name} is immutable; make a new one, or copy the graph with substitutions"
        )

    def __delattr__(self, key: str) -> None:
        raise AttributeError(f"node {self.name} is immutable")

    def remember_expansion(self, outputs: tuple[Tensor, ...]) -> None:
        """Keep the nodes that a composite stands for, so that its body runs once."""
        object.__setattr__(self, "_expansion", outputs)

    @property
    def expansion(self) -> tuple[Tensor, ...] | None:
        return self._expansion

    def __repr__(self) -> str:
        return f"<Node {node_line(self)}>"


def _flat(args: tuple[Any, ...]) -> tuple[Tensor, ...]:
    for arg in args:
        if not isinstance(arg, Tensor):
            return tuple(flat_tensors(args))
    return args


def flat_tensors(args: Iterable[Any]) -> Iterable[Tensor]:
    for arg in args:
        if isinstance(arg, Tensor):
            yield arg
        elif isinstance(arg, (tuple, list)):
            yield from flat_tensors(arg)


def scoped(name: str) -> str:
    """``name`` below the scopes that are open now."""
    return "/".join((*_scope.get(), name))


@contextmanager
def beside(node: Node) -> Iterator[None]:
    """Names made inside are in the scope of the node's name, whatever scopes are open."""
    scope = node.name.rpartition("/")[0]
    token = _scope.set((scope,) if scope else ())
    try:
        yield
    finally:
        _scope.reset(token)


class name_scope:
    """Names made inside start with ``name/``.

    Args:
        name: the part before the slash; scopes in scopes join theirs.

    Raises:
        ValueError: ``name`` is empty or no string.

    >>> from kbackend import K
    >>> with K.name_scope("encoder"):
    ...     x = K.placeholder((2,), name="x")
    >>> x.name
    'encoder/x'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"a name scope needs a non-empty string, it was given {name!r}")
        self.name = name

    def __enter__(self) -> str:
        scope = (*_scope.get(), self.name)
        _scope.set(scope)
        return "/".join(scope)

    def __exit__(self, *exc: Any) -> None:
        _scope.set(_scope.get()[:-1])
