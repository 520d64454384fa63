"""Operands of an op: the parameters annotated ``TensorLike`` or ``TensorList``; all others are attributes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import CodeType, NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin


@dataclass(frozen=True)
class Operand:
    """The mark of an operand in the annotation of its parameter.

    Args:
        many: whether it is a list of tensors.
    """

    many: bool = False


TensorLike = Annotated[Any, Operand()]
TensorList = Annotated[Sequence[Any], Operand(many=True)]


class Parameters(NamedTuple):
    """The parameters of a declared function.

    Attributes:
        operands: names of those that are tensors.
        lists: those of them that are lists of tensors.
        optional: operands that may be None.
        attributes: names of all others.
        positional: names of all that may be given by position.
    """

    operands: tuple[str, ...]
    lists: frozenset[str]
    optional: frozenset[str]
    attributes: tuple[str, ...]
    positional: tuple[str, ...]


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Operands and attributes of a function.

    They are read from the code of the function: for all ops together ``inspect.signature`` takes a tenth of the time
    that importing kbackend takes.

    Raises:
        TypeError: an annotation cannot be evaluated where the function is defined.
    """
    function = inspect.unwrap(function)
    annotations = function.__annotations__
    positional, by_keyword = _names_of(function.__code__)
    operands: list[str] = []
    attributes: list[str] = []
    lists, optional = set(), set()
    for name in (*positional, *by_keyword):
        members = _members(_evaluated(annotations.get(name), function, name))
        mark = next((m for member in members for m in _metadata(member) if isinstance(m, Operand)), None)
        if mark is None:
            attributes.append(name)
            continue
        operands.append(name)
        if mark.many:
            lists.add(name)
        if NoneType in members:
            optional.add(name)
    return Parameters(tuple(operands), frozenset(lists), frozenset(optional), tuple(attributes), positional)


def _names_of(code: CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the parameters that may be given by position, and of all others, in the order of the signature."""
    first, second = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    positional, by_keyword, rest = (code.co_varnames[a:b] for a, b in ((0, first), (first, second), (second, None)))
    if code.co_flags & inspect.CO_VARARGS:
        positional, rest = (*positional, rest[0]), rest[1:]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        by_keyword = (*by_keyword, rest[0])
    return positional, by_keyword


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types of which a union is one, or the annotation alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return annotation.__metadata__ if get_origin(annotation) is Annotated else ()


def _evaluated(annotation: Any, function: Callable[..., Any], name: str) -> Any:
    scope = function.__globals__
    while isinstance(annotation, str):
        if annotation in scope:  # most are one name
            annotation = scope[annotation]
            continue
        try:
            annotation = eval(_compiled(annotation), scope)
        except Exception as error:
            raise TypeError(
                f"the annotation {annotation!r} of {function.__qualname__}({name}) cannot be evaluated: {error}"
            ) from error
    return annotation


@cache
def _compiled(annotation: str) -> CodeType:
    return compile(annotation, "<annotation>", "eval")
