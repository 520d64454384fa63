"""Symbolic tensors: one output of a node, with a static shape (None where unknown) and a dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kbackend.ground.suggest import MissingName

if TYPE_CHECKING:
    from kbackend.graph.node import Node

Shape = tuple[int | None, ...]


class TensorSpec(NamedTuple):
    """What is known of a tensor before it has a value."""

    shape: Shape
    dtype: str

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}{list('?' if d is None else d for d in self.shape)}".replace("'", "")


def values_text(array: Any) -> str:
    """The values of an array in a line, without those in the middle of a long one."""
    import numpy as np

    shown = np.array2string(array, separator=", ", threshold=8, edgeitems=2, formatter={"float": "{:g}".format})
    return " ".join(shown.split())


class PhaseAsked(TypeError):
    """The truth value of the symbolic learning phase was asked for while the graph is built."""


class Tensor:
    """A symbolic tensor. Made by ops and placeholders, never directly.

    Attributes:
        shape: a tuple with None for each unknown dimension.
        dtype: a string such as 'float32'.
        name: the name given by the user, or made from the op and the scope.
    """

    __slots__ = ("node", "index", "shape", "dtype", "name", "history", "_keras_mask", "__weakref__")
    __array_priority__ = 1000

    node: Node
    history: Any
    _keras_mask: Any

    def __init__(self, node: Any, index: int, spec: TensorSpec, name: str) -> None:
        self.node = node
        self.index = index
        self.shape = spec.shape
        self.dtype = spec.dtype
        self.name = name
        self.history = None
        self._keras_mask = None

    @property
    def spec(self) -> TensorSpec:
        return TensorSpec(self.shape, self.dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def op(self) -> Node:
        """The node that makes this tensor."""
        return self.node

    def get_shape(self) -> Shape:
        return self.shape

    @property
    def _keras_shape(self) -> Shape:
        """The shape, by the name that layers of Keras 2 read."""
        return self.shape

    @property
    def _keras_history(self) -> Any:
        """The layer that made it, the number of the call and of the result, by the name that code of Keras 2 reads.

        Raises:
            AttributeError: no layer made it.
        """
        if self.history is None:
            raise AttributeError(f"{self.name!r} has no _keras_history, no layer made it")
        return self.history.place_of(self)

    @property
    def _uses_learning_phase(self) -> bool:
        """Whether the value depends on the learning phase that is fed, by the name that layers of Keras 2 read."""
        stack, seen = [self.node], {self.node.number}
        while stack:
            node = stack.pop()
            if node.op.role.value.startswith("phase"):
                return True
            before = [t.node for t in node.inputs if t.node.number not in seen]
            seen.update(n.number for n in before)
            stack += before
        return False

    def __repr__(self) -> str:
        value = self.node.attrs.get("value")
        known = "" if value is None else f" value={values_text(value)}"
        return f"<{type(self).__name__} {self.name!r} shape={self.shape} dtype={self.dtype}{known}>"

    def _repr_html_(self) -> str:
        from html import escape  # late: notebooks alone need it

        facts = {"name": self.name, "shape": self.shape, "dtype": self.dtype, "made by": self.node.op.name}
        rows = "".join(f"<tr><th>{name}</th><td>{escape(str(fact))}</td></tr>" for name, fact in facts.items())
        return f"<table>{rows}</table>"

    def __bool__(self) -> bool:
        known = _operators["truth"](self)
        if known is not None:
            return known
        if _is_of_phase(self.node):
            raise PhaseAsked(
                "the learning phase has no truth value while the graph is built; use K.in_train_phase(x, alt), or the "
                "argument `training` of the call of a layer or model, which may be asked for"
            )
        raise TypeError(
            f"{self!r} has no truth value while the graph is built. Use K.switch(condition, then, else), or "
            "K.eval(tensor) for its value when it depends on no placeholder."
        )

    def __len__(self) -> int:
        if self.shape and self.shape[0] is not None:
            return self.shape[0]
        raise TypeError(
            f"the length of {self!r} is not known while the graph is built; K.shape(tensor)[0] is it as a tensor"
        )

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            raise TypeError(
                f"{self!r} cannot be iterated: its first dimension is not known while the graph is built. "
                "Use K.map_fn or K.rnn, or K.eval(tensor) when it depends on no placeholder."
            )
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        raise TypeError(f"'in' needs values; use K.any(K.equal({self.name}, item))")

    __hash__ = object.__hash__

    if TYPE_CHECKING:  # set by _install_dunders; without these lines no type checker knows them
        def _operator(self, other: Any) -> Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _operator
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _operator
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = _operator

        def __neg__(self) -> Any: ...

    def __getitem__(self, index: Any) -> Tensor:
        return _operators["getitem"](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{self!r} cannot be assigned to: a symbolic tensor never changes. kbackend.ops.slice_update and "
            "scatter_update, or K.switch, make a new one"
        )

    def __getattr__(self, name: str) -> Any:
        reason = _refused.get(name)
        if reason is None:
            public = lambda: [n for n in dir(type(self)) if not n.startswith("_")]  # noqa: E731
            raise MissingName(f"a symbolic tensor has no {name!r}", name, public)
        raise AttributeError(f"a symbolic tensor has no {name!r}: {reason}")

    def numpy(self) -> Any:
        """The value as a NumPy array, when the tensor depends on no placeholder.

        Raises:
            ValueError: it depends on placeholders; the message names them.
        """
        return _operators["evaluate"](self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        try:
            value = self.numpy()
        except ValueError as error:
            raise self._no_array(error) from error
        return value if dtype is None else value.astype(dtype)

    def _number(self, wanted: str) -> Any:
        if any(d not in (1, None) for d in self.shape):
            raise TypeError(f"only a tensor of one element can become {wanted}, {self!r} has more or none")
        try:
            return self.numpy().item()
        except ValueError as error:
            raise TypeError(f"no {wanted} while the graph is built: {error}") from error

    def __float__(self) -> float:
        return float(self._number("a float"))

    def __int__(self) -> int:
        return int(self._number("an int"))

    def __complex__(self) -> complex:
        return complex(self._number("a complex number"))

    def __index__(self) -> int:
        if self.shape or "int" not in self.dtype:
            raise TypeError(f"only an integer scalar can be an index, not {self!r}")
        return int(self._number("an index"))

    def __reduce__(self) -> Any:
        raise TypeError(
            "a symbolic tensor cannot be pickled; save its graph with kbackend.saving.graph_json.to_json"
        )


_operators: dict[str, Callable[..., Any]] = {}


def _is_of_phase(node: Node) -> bool:
    """Whether a node depends on the learning phase and on nothing else but constants."""
    roles, seen, stack = set(), {node.number}, [node]
    while stack:
        one = stack.pop()
        inputs = [t.node for t in one.inputs if t.node.number not in seen]
        if not one.inputs:
            roles.add(one.op.role.name)
        seen.update(n.number for n in inputs)
        stack += inputs
    return "PHASE" in roles and roles <= {"PHASE", "CONSTANT"}
_refused: dict[str, str] = {}


def _binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Tensor, other: Any, *mod: Any) -> Any:
        return _operators[name](self, other, *mod)

    def reflected(self: Tensor, other: Any) -> Any:
        return _operators[name](other, self)

    return forward, reflected


def _unary(name: str) -> Callable[..., Any]:
    return lambda self, *args: _operators[name](self, *args)


_BINARY = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift".split()


def _install_dunders() -> None:
    for symbol in _BINARY:
        forward, reflected = _binary(symbol)
        setattr(Tensor, f"__{symbol}__", forward)
        setattr(Tensor, f"__r{symbol}__", reflected)
    for symbol in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Tensor, f"__{symbol}__", _binary(symbol)[0])
    for symbol in ("neg", "pos", "abs", "invert", "round"):
        setattr(Tensor, f"__{symbol}__", _unary(symbol))


_install_dunders()


def install_operators(
    table: dict[str, Callable[..., Any]], methods: dict[str, Callable[..., Any]], refused: dict[str, str]
) -> None:
    """Give symbolic tensors their operators and NumPy-style methods, and the reasons for those they do not have;
    called once, by kbackend.ops."""
    _operators.update(table)
    _refused.update(refused)
    for name, function in methods.items():
        setattr(Tensor, name, function)
