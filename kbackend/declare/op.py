"""An op: name, signature, operands, attributes and the facts of its declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from kbackend.declare.sample import Sample
from kbackend.ground import hooks

TensorLike = Any
TensorList = Sequence[Any]
Samples = Callable[[], list[Sample]]
Prepare = Callable[[Sequence[Any], dict[str, Any]], dict[str, Any]]
#: the name of the op whose nodes lowering gives to the engine's own differentiation
GRADIENTS = "gradients"
#: every declared op by name, in order of declaration
REGISTRY: dict[str, Op] = {}
#: every derived function by name; they make no nodes, so they may share a name with the op they arrange a call of
DERIVED: dict[str, Op] = {}


class Op:
    """A declared operation.

    Attributes:
        name: unique among the ops; the name of the kernel in a backend's table.
        kind: 'primitive', 'composite' or 'derived'.
        function: the declared body.
        operands: names of the parameters that are tensors.
        lists: those of them that are lists of tensors.
        attributes: names of the other parameters.
        promote: 'same' (operands are cast to their common dtype), 'float' (and then to a float), or None.
        prepare: makes attributes canonical and checks them; gets the operands' specs. Idempotent.
        differentiable: False when no gradient ever flows through it.
        pure: equal operands and attributes give equal results.
        tolerance: the op's class in the table of tolerances.
        samples: a function that lists the samples.
        creates: calls without symbolic operands make nodes too.
        view: a kernel may return memory of an operand.
        traced: concrete calls become programs; False for functions that run Python functions of their caller.
        positional: names of the parameters that may be given by position.
        public: the function that users call.
        takes_complex: operands may be complex; others are refused with TypeError.
    """

    def __init__(self, function: Callable[..., Any], kind: str, **options: Any) -> None:
        self.function = function
        self.kind = kind
        self.name: str = options.get("name") or function.__name__.rstrip("_")
        self.promote: str | None = options.get("promote")
        self.promoted: tuple[str, ...] | None = options.get("promoted")
        self.prepare: Prepare | None = options.get("prepare")
        self.rule: Callable[..., Any] | None = options.get("rule")
        self.differentiable: bool = options.get("differentiable", True)
        self.pure: bool = options.get("pure", True)
        self.tolerance: str = options.get("tolerance", "elementwise")
        self.samples: Samples | None = options.get("samples")
        self.creates: bool = options.get("creates", False)
        self.view: bool = options.get("view", False)
        self.takes_complex: bool = options.get("takes_complex", False)
        self.traced: bool = options.get("traced", True) and not self.creates
        self.signature = inspect.signature(function)
        self.operands, self.lists, self.attributes = _split_parameters(self.signature)
        self.traced = self.traced and bool(self.operands)
        self.positional = _positional(self.signature)
        self.bind = _make_binder(self)
        self.public: Callable[..., Any] = function
        self.is_promoted = tuple(
            self.promote is not None and (self.promoted is None or name in self.promoted)
            for name in self.operands
        )

    def apply(self, args: Sequence[Any], attrs: Any) -> Any:
        """Call with operands by position and canonical attributes."""
        return hooks.call_op(self, tuple(args), dict(attrs))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}{self.signature}>"


def _split_parameters(
    signature: inspect.Signature,
) -> tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]:
    operands, lists, attributes = [], set(), []
    for parameter in signature.parameters.values():
        text = parameter.annotation if isinstance(parameter.annotation, str) else ""
        if text.startswith(("TensorLike", "TensorList")):
            operands.append(parameter.name)
            if text.startswith("TensorList"):
                lists.add(parameter.name)
        else:
            attributes.append(parameter.name)
    return tuple(operands), frozenset(lists), tuple(attributes)


def _positional(signature: inspect.Signature) -> tuple[str, ...]:
    by_keyword = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    return tuple(p.name for p in signature.parameters.values() if p.kind not in by_keyword)


def _make_binder(op: Op) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
    """A function with the op's signature that sorts a call into operands and attributes.

    Generated once per op because ``inspect.Signature.bind`` would cost more than most kernels.
    """
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


def ops(kind: str | None = None) -> list[Op]:
    """The declared ops and derived functions, in order of declaration."""
    return [op for op in (*REGISTRY.values(), *DERIVED.values()) if kind is None or op.kind == kind]
