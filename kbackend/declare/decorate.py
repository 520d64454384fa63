"""How an op is declared: one decorated function holds its name, signature, docstring and shape rule.

A *primitive*'s body is its shape and dtype rule: it gets a TensorSpec for each operand and the attributes, and
returns the TensorSpec (or a tuple of them) of the result. Every backend supplies a kernel for it.

A *composite*'s body is its definition by other ops. A backend may supply a kernel for it; the kit then checks the
kernel against the body.

A *derived* function only arranges arguments and calls ops; it makes no node of its own.

A *structural* op is part of every graph: leaves, updates, gradients. The lowering handles it, and no backend has a
kernel for it. Its body is a rule, as that of a primitive.

Parameters annotated ``TensorLike`` or ``TensorList`` are operands, all others are attributes. The keyword arguments of
the decorators are the fields of :class:`kbackend.declare.op.Op`, which says what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from kbackend.declare.call import call
from kbackend.declare.kept import public
from kbackend.declare.op import (
    DERIVED,
    NO_SPELLINGS,
    REGISTRY,
    Kind,
    Op,
    Prepare,
    Promotion,
    Rule,
    Samples,
    StableForm,
    StaticValue,
    Tolerance,
)
from kbackend.graph.node import Role
from kbackend.ground.arguments import unknown_keywords

#: `spellings` of functions of two tensors that K calls x and y, Keras 3 x1 and x2
X1_IS_X = {"x1": "x", "x2": "y"}
X_IS_X1 = {"x": "x1", "y": "x2"}


def primitive(
    function: Callable[..., Any] | None = None,
    *,
    name: str = "",
    samples: Samples | None = None,
    tolerance: Tolerance = "elementwise",
    spellings: Mapping[str, str] = NO_SPELLINGS,
    promote: Promotion | None = None,
    promoted: tuple[str, ...] | None = None,
    prepare: Prepare | None = None,
    takes_complex: bool = False,
    differentiable: bool = True,
    pure: bool = True,
    random: bool = False,
    creates: bool = False,
    view: bool = False,
    captures: str | None = None,
    runs_user_code: bool = False,
    static_value: StaticValue | None = None,
    stable_form: StableForm | None = None,
) -> Any:
    """Declare an op that every backend supplies."""
    return _declared("primitive", **locals())


def composite(
    function: Callable[..., Any] | None = None,
    *,
    name: str = "",
    rule: Rule | None = None,
    samples: Samples | None = None,
    tolerance: Tolerance = "elementwise",
    spellings: Mapping[str, str] = NO_SPELLINGS,
    promote: Promotion | None = None,
    promoted: tuple[str, ...] | None = None,
    prepare: Prepare | None = None,
    takes_complex: bool = False,
    differentiable: bool = True,
    pure: bool = True,
    rowwise: bool = False,
    random: bool = False,
    creates: bool = False,
    view: bool = False,
    hyperparameters: tuple[str, ...] = (),
    static_value: StaticValue | None = None,
    stable_form: StableForm | None = None,
) -> Any:
    """Declare an op defined by other ops. With ``rule`` the body runs only where a backend has no kernel."""
    return _declared("composite", **locals())


def derived(
    function: Callable[..., Any] | None = None,
    *,
    name: str = "",
    samples: Samples | None = None,
    tolerance: Tolerance = "elementwise",
    spellings: Mapping[str, str] = NO_SPELLINGS,
    traced: bool = True,
) -> Any:
    """Declare a public function that only arranges arguments and calls ops."""
    return _declared("derived", **locals())


def structural(
    role: Role,
    *,
    name: str,
    promote: Promotion | None = None,
    promoted: tuple[str, ...] | None = None,
    takes_complex: bool = False,
    pure: bool = True,
    creates: bool = False,
    static_value: StaticValue | None = None,
) -> Any:
    """Declare an op that the lowering handles."""
    return _declared("structural", None, **locals())


def _declared(kind: Kind, function: Callable[..., Any] | None, **facts: Any) -> Any:
    """The public function, or a decorator where the function is not given yet; ``facts`` are the parameters above."""
    if function is not None:
        return _declare(Op(function, kind, **facts))
    return lambda body: _declare(Op(body, kind, **facts))


def _declare(op: Op) -> Callable[..., Any]:
    table = DERIVED if op.kind == "derived" else REGISTRY
    if op.name in table:
        raise ValueError(
            f"{op.name} is declared twice, in {table[op.name].function.__module__} "
            f"and in {op.function.__module__}"
        )
    table[op.name] = op
    op.public = public(op, _spelled(op, _calling(op)))
    update_wrapper(op.public, op.function)
    op.public.op = op  # type: ignore[attr-defined]
    return op.public


def _spelled(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which takes keywords in both spellings."""
    others = op.spellings
    if not others:
        return function

    def respelled(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            renamed = {others.get(k, k): v for k, v in kwargs.items()}
            if len(renamed) < len(kwargs):
                raise TypeError(f"{op.name} was given an argument in two spellings: {', '.join(kwargs)}")
            kwargs = renamed
        return function(*args, **kwargs)

    return respelled


def _calling(op: Op) -> Callable[..., Any]:
    """The function that makes nodes; of a keyword that it does not take it says which may be meant."""
    function = op.function if op.kind == "derived" else None

    def calling(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(op, *op.bind(*args, **kwargs)) if function is None else function(*args, **kwargs)
        except TypeError:
            parameters = op.signature.parameters
            unknown = set(kwargs) - set(parameters)
            if not unknown or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
                raise
            raise unknown_keywords(op.name, unknown, {*parameters, *op.spellings}) from None

    return calling


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors that is no op: its body always gets symbolic tensors, and concrete calls run programs that
    are kept, as those of ops do. Parameters annotated ``TensorLike`` are its operands."""
    op = Op(function, "derived")
    op.public = public(op, function)
    return update_wrapper(op.public, function)
