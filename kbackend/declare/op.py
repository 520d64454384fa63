"""An op: name, signature, operands, attributes and the facts of its declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from kbackend.declare.operands import TensorLike, TensorList, parameters_of
from kbackend.declare.sample import Sample
from kbackend.graph.node import Node, Role
from kbackend.ground import hooks

if TYPE_CHECKING:
    import numpy as np

    from kbackend.graph.tensor import Tensor

Kind = Literal["primitive", "composite", "derived", "structural"]
Promotion = Literal["same", "float"]
Tolerance = Literal["exact", "moving", "elementwise", "reduction", "cumulative", "matmul", "rnn", "model"]
Samples = Callable[[], list[Sample]]
Prepare = Callable[[Sequence[Any], dict[str, Any]], dict[str, Any]]
Rule = Callable[..., Any]
StaticValue = Callable[[Node], "np.ndarray | None"]
StableForm = Callable[[Node], "Sequence[Tensor] | None"]

NO_SPELLINGS: Mapping[str, str] = MappingProxyType({})
#: attributes of random ops that say which draw a node is
DRAW = ("key", "op_id")
#: every declared op by name, in order of declaration
REGISTRY: dict[str, Op] = {}
#: every derived function by name; they make no nodes, so they may share a name with the op they arrange a call of
DERIVED: dict[str, Op] = {}


@dataclass(eq=False, repr=False, slots=True)  # a dict each would take a megabyte for all ops
class Op:
    """A declared operation: all that is known of it, and the only place where it is said.

    Attributes:
        function: the declared body.
        kind: 'primitive', 'composite', 'derived' or 'structural'.
        name: unique among the ops of its kind; the name of the kernel in a backend's table. That of the function
            unless given.
        samples: a function that lists the samples.
        tolerance: the op's class in the table of tolerances.
        spellings: other names of parameters, each with the parameter it stands for.
        promote: 'same' (operands are cast to their common dtype), 'float' (and then to a float), or None.
        promoted: the operands that take part in that; all of them when None.
        prepare: makes attributes canonical and checks them; gets the operands' specs. Idempotent.
        rule: of composites: the specs of the results from those of the operands.
        takes_complex: operands may be complex; others are refused with TypeError.
        differentiable: False when no gradient ever flows through it.
        pure: equal operands and attributes give equal results.
        rowwise: a row of the result along any axis but ``axis`` depends on that row of the only operand alone.
        random: it draws random numbers: ``key`` and ``op_id`` among its attributes say which.
        creates: calls without symbolic operands make nodes too.
        view: a kernel may return memory of its first operand.
        traced: concrete calls become programs; False for functions that run Python functions of their caller.
        role: what a program does with a node of it.
        captures: the operand with the outer tensors that the bodies among its attributes read.
        hyperparameters: the operands in which a variable is no weight of a model.
        runs_user_code: its kernel calls a function of the user's, whose errors keep their text.
        static_value: of a node with integer results: what is known of them while the graph is built.
        stable_form: tensors that replace the outputs of a node, None where it stays; see
            :mod:`kbackend.lowering.rewrite`.
        operands, lists, optional, attributes, positional: of the function, see
            :class:`kbackend.declare.operands.Parameters`.
        is_promoted: for each operand whether it takes part in the promotion.
        public: the function that users call.
        signature: of the function.
        bind: a function with the op's signature that sorts a call into operands and attributes. Generated because
            ``inspect.Signature.bind`` would cost more than most kernels.
    """

    function: Callable[..., Any]
    kind: Kind
    name: str = ""
    samples: Samples | None = None
    tolerance: Tolerance = "elementwise"
    spellings: Mapping[str, str] = field(default_factory=dict)
    promote: Promotion | None = None
    promoted: tuple[str, ...] | None = None
    prepare: Prepare | None = None
    rule: Rule | None = None
    takes_complex: bool = False
    differentiable: bool = True
    pure: bool = True
    rowwise: bool = False
    random: bool = False
    creates: bool = False
    view: bool = False
    traced: bool = True
    role: Role = Role.KERNEL
    captures: str | None = None
    hyperparameters: tuple[str, ...] = ()
    runs_user_code: bool = False
    static_value: StaticValue | None = None
    stable_form: StableForm | None = None
    operands: tuple[str, ...] = field(init=False)
    lists: frozenset[str] = field(init=False)
    optional: frozenset[str] = field(init=False)
    attributes: tuple[str, ...] = field(init=False)
    positional: tuple[str, ...] = field(init=False)
    is_promoted: tuple[bool, ...] = field(init=False)
    public: Callable[..., Any] = field(init=False)
    signature: inspect.Signature = field(init=False)
    bind: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.function.__name__.rstrip("_")
        found = parameters_of(self.function)
        self.operands, self.lists, self.optional, self.attributes, self.positional = found
        self.traced = self.traced and not self.creates and bool(self.operands)
        self.public = self.function
        self.is_promoted = tuple(
            self.promote is not None and (self.promoted is None or name in self.promoted)
            for name in self.operands
        )
        self._check()

    def _check(self) -> None:
        """The facts name parameters that the function has.

        Raises:
            ValueError: one does not.
        """
        parameters = {*self.operands, *self.attributes}
        named = [*self.spellings.values(), *(self.promoted or ()), *self.hyperparameters]
        named += [self.captures] if self.captures is not None else []
        named += DRAW if self.random else ()
        for name in named:
            if name not in parameters:
                raise ValueError(f"the declaration of {self.name}{self.signature} names the parameter {name!r}, "
                                 "which is not there")
        for name in self.spellings:
            if name in parameters:
                raise ValueError(f"the declaration of {self.name}{self.signature} spells {name!r} in two ways")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What is worked out at the first use, because most ops are never called."""
            if name == "signature":
                self.signature = inspect.signature(self.function)
            elif name == "bind":
                self.bind = _binder(self)
            else:
                raise AttributeError(f"an op has no attribute {name!r}", name=name, obj=self)
            return getattr(self, name)

    @property
    def inference(self) -> Rule | None:
        """The function that infers the results' specs; None for composites whose body has to run."""
        return self.rule if self.kind == "composite" else self.function

    def prepared(self, specs: Sequence[Any], attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical attributes."""
        return dict(attrs) if self.prepare is None else self.prepare(specs, dict(attrs))

    def apply(self, args: Sequence[Any], attrs: Any) -> Any:
        """Call with operands by position and canonical attributes."""
        return hooks.call_op(self, tuple(args), dict(attrs))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}{self.signature}>"


def _binder(op: Op) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
    defaults: dict[str, Any] = {}
    parts, star = [], False
    for parameter in op.signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        if parameter.default is not parameter.empty:
            defaults[f"_d_{parameter.name}"] = parameter.default
            text += f"=_d_{parameter.name}"
        parts.append(text)
    operands = "".join(f"{name}, " for name in op.operands)
    attributes = ", ".join(f"{name!r}: {name}" for name in op.attributes)
    source = f"def {op.name}({', '.join(parts)}):\n    return ({operands}), {{{attributes}}}"
    namespace = dict(defaults)
    exec(source, namespace)
    return namespace[op.name]


def ops(kind: Kind | None = None) -> list[Op]:
    """The declared ops and derived functions, in order of declaration."""
    return [op for op in (*REGISTRY.values(), *DERIVED.values()) if kind is None or op.kind == kind]


__all__ = ["DERIVED", "DRAW", "REGISTRY", "Op", "TensorLike", "TensorList", "ops"]
