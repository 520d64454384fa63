"""How an op is declared: one decorated function holds its name, signature, docstring and shape rule.

A *primitive*'s body is its shape and dtype rule: it gets a TensorSpec for each operand and the attributes, and
returns the TensorSpec (or a tuple of them) of the result. Every backend supplies a kernel for it.

A *composite*'s body is its definition by other ops. A backend may supply a kernel for it; the kit then checks the
kernel against the body.

A *derived* function only arranges arguments and calls ops; it makes no node of its own.

Parameters annotated ``TensorLike`` or ``TensorList`` are operands, all others are attributes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, TypeVar

from kbackend.ops.kept import public
from kbackend.ops.sample import Sample

TensorLike = Any
TensorList = Sequence[Any]
Samples = Callable[[], list[Sample]]
Prepare = Callable[[Sequence[Any], dict[str, Any]], dict[str, Any]]
F = TypeVar("F", bound=Callable[..., Any])

#: the name of the op whose nodes lowering gives to the engine's own differentiation
GRADIENTS = "gradients"
#: every declared op by name, in order of declaration
REGISTRY: dict[str, Op] = {}
#: every derived function by name; they make no nodes, so they may share a name with the op they arrange a call of
DERIVED: dict[str, Op] = {}

_TO_X = {"x1": "x", "x2": "y"}
_TO_X1 = {"x": "x1", "y": "x2"}
#: other names for parameters of functions that K and kbackend.ops share: K and Keras 3 spell them differently
SPELLINGS: dict[str, dict[str, str]] = {
    **dict.fromkeys("dot equal greater greater_equal less less_equal maximum minimum not_equal".split(), _TO_X),
    **dict.fromkeys("add divide floor_divide logical_and logical_or logical_xor mod multiply subtract".split(), _TO_X1),
    "clip": {"x_min": "min_value", "x_max": "max_value"},
    "reshape": {"newshape": "shape"},
    "stop_gradient": {"variable": "variables"},
    "tile": {"repeats": "n"},
}


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
        takes_complex: operands may be complex; others are refused with TypeError. Set in kbackend/ops/complexes.py.
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
        from kbackend.ops.dispatch import call

        return call(self, tuple(args), dict(attrs))

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
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return tuple(p.name for p in signature.parameters.values() if p.kind in kinds)


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


def _declare(kind: str, function: F, options: dict[str, Any]) -> F:
    op = Op(function, kind, **options)
    table = DERIVED if kind == "derived" else REGISTRY
    if op.name in table:
        raise ValueError(
            f"{op.name} is declared twice, in {table[op.name].function.__module__} "
            f"and in {function.__module__}"
        )
    table[op.name] = op
    op.public = public(op, _spelled(op.name, function if kind == "derived" else _calling(op)))
    update_wrapper(op.public, function)
    op.public.op = op  # type: ignore[attr-defined]
    return op.public  # type: ignore[return-value]


def _spelled(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which takes keywords in both spellings."""
    others = SPELLINGS.get(name)
    if others is None:
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            renamed = {others.get(k, k): v for k, v in kwargs.items()}
            if len(renamed) < len(kwargs):
                raise TypeError(f"{name} was given an argument in two spellings: {', '.join(kwargs)}")
            kwargs = renamed
        return function(*args, **kwargs)

    return call


def _calling(op: Op) -> Callable[..., Any]:
    from kbackend.ops.dispatch import call

    bind = op.bind
    return lambda *args, **kwargs: call(op, *bind(*args, **kwargs))


def primitive(function: F | None = None, **options: Any) -> Any:
    """Declare an op that every backend supplies. Options: see :class:`Op`."""
    return _decorator("primitive", function, options)


def composite(function: F | None = None, **options: Any) -> Any:
    """Declare an op defined by other ops. Options: see :class:`Op`; ``rule`` gives the specs of the results
    without running the body, which then runs only where a backend has no kernel."""
    return _decorator("composite", function, options)


def derived(function: F | None = None, **options: Any) -> Any:
    """Declare a public function that only arranges arguments and calls ops."""
    return _decorator("derived", function, options)


def _decorator(kind: str, function: Any, options: dict[str, Any]) -> Any:
    if function is not None:
        return _declare(kind, function, options)
    return lambda body: _declare(kind, body, options)


def ops(kind: str | None = None) -> list[Op]:
    """The declared ops and derived functions, in order of declaration."""
    return [op for op in (*REGISTRY.values(), *DERIVED.values()) if kind is None or op.kind == kind]
