"""Checking a plugin as a whole: every part of the contract, and every kernel against its op."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from kbackend.declare.op import Op
from kbackend.plugin.contract import (
    Backend,
    Devices,
    InPlace,
    Kernels,
    Modes,
    Modules,
    PluginError,
    Processes,
    Programs,
    Specialized,
    State,
    Tape,
    Tensors,
)
from kbackend.plugin.gaps import Gap

PARTS: tuple[Any, ...] = (Kernels, Tensors, State, Devices, Programs, Processes, Modes, Modules)
#: what backends need besides when they are not eager: method -> the part that has a default for eager ones
_NOT_EAGER: dict[str, Any] = {"constant": Tensors, "read": State, "compile": Programs}


def validate(backend: Backend, declared: Mapping[str, Op]) -> None:
    """Check a plugin as a whole.

    Raises:
        PluginError: with all faults: attributes of the contract that are missing or of another type, methods that are
            missing or take other arguments, primitives with neither kernel nor gap, kernels of unknown ops, kernels
            whose signature does not take the op's operands and attributes, gaps for kernels that exist.
    """
    faults = [*_contract_faults(backend), *_kernel_faults(backend, declared)]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        name = getattr(backend, "name", type(backend).__name__)
        raise PluginError(f"the backend {name} cannot be used; {len(faults)} faults:\n{listed}")


# --------------------------------------------------------------------------------------- the parts of the contract


def _contract_faults(backend: Any) -> Iterator[str]:
    for part in PARTS:
        yield from _part_faults(backend, part, "")
    if not getattr(backend, "eager", True):
        for name, part in _NOT_EAGER.items():
            if _is_default(backend, part, name):
                yield f"{part.__name__}.{name}{_signature(part, name)} is not defined, and the backend is not eager"
    tape = getattr(backend, "tape", None)
    if tape is None:
        yield "the attribute tape is missing"
    else:
        yield from _part_faults(tape, Tape, "tape.")
        if getattr(tape, "switches", False) and _is_default(tape, Tape, "record"):
            yield f"tape.record{_signature(Tape, 'record')} is not defined, and the tape switches"


def _part_faults(value: Any, part: Any, prefix: str) -> Iterator[str]:
    """The faults of the members that a part declares itself."""
    hints = get_type_hints(part)
    for name in part.__dict__.get("__annotations__", ()):
        if not hasattr(value, name):
            yield f"the attribute {prefix}{name} of {part.__name__} is missing"
        elif not _fits(getattr(value, name), hints[name]):
            yield (f"the attribute {prefix}{name} of {part.__name__} should be {_described(hints[name])}, "
                   f"it is {getattr(value, name)!r:.80}")
    for name, method in vars(part).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            yield from _method_faults(value, part, name, prefix)


def _method_faults(value: Any, part: Any, name: str, prefix: str) -> Iterator[str]:
    where = f"{prefix}{name}{_signature(part, name)} of {part.__name__}"
    found = getattr(value, name, None)
    if _is_default(value, part, name):
        if getattr(vars(part)[name], "required", False):
            yield f"{where} is not defined"
    elif not callable(found):
        yield f"{where} should be a method, it is {found!r:.80}" if found is not None else f"{where} is missing"
    else:
        yield from _argument_faults(found, part, name, where)


def _argument_faults(found: Any, part: Any, name: str, where: str) -> Iterator[str]:
    try:
        signature = inspect.signature(found)
    except (ValueError, TypeError):
        return  # built in: it does not say
    given = [p for p in _signature(part, name).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    try:
        signature.bind(*given)
    except TypeError as error:
        yield f"{where} has the signature {signature}: {error}"


def _is_default(value: Any, part: Any, name: str) -> bool:
    return getattr(type(value), name, None) is vars(part)[name] and name not in getattr(value, "__dict__", ())


def _signature(part: Any, name: str) -> inspect.Signature:
    """The contract's signature, without ``self``."""
    whole = inspect.signature(vars(part)[name])
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the kind that an annotation names; contents are not looked into."""
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, member) for member in get_args(hint))
    return isinstance(value, origin or hint)


def _described(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_described, get_args(hint)))
    kind = get_origin(hint) or hint
    return "None" if kind is type(None) else f"a {kind.__name__}"


# ------------------------------------------------------------------------------------------------------ the kernels


def _kernel_faults(backend: Any, declared: Mapping[str, Op]) -> Iterator[str]:
    kernels, native, gaps = (_table(backend, name) for name in ("kernels", "native_kernels", "gaps"))
    for op in declared.values():
        kernel, gap = kernels.get(op.name), gaps.get(op.name)
        if op.kind == "primitive" and kernel is None and gap is None:
            yield f"no kernel and no declared gap for the primitive {op.name}{op.signature}"
        if kernel is not None and gap is not None and not getattr(gap, "samples", ()):
            yield f"{op.name} has a kernel and is declared absent ({getattr(gap, 'reason', gap)})"
    for table in (kernels, native):
        for name, kernel in table.items():
            if name in declared:
                yield from _signature_faults(declared[name], kernel)
    for name in dict.fromkeys((*kernels, *native)):
        if name not in declared:
            yield f"a kernel for the unknown op {name}"
    for name, gap in gaps.items():
        if name not in declared:
            yield f"a gap for the unknown op {name}"
        elif not isinstance(gap, Gap):
            yield f"the gap of {name} should be made by never() or not_yet(), it is {gap!r:.80}"


def _table(backend: Any, name: str) -> Mapping[str, Any]:
    found = getattr(backend, name, None)
    return found if isinstance(found, Mapping) else {}


def _signature_faults(op: Op, kernel: Any) -> Iterator[str]:
    positional: list[Any] = [None] * len(op.operands)
    if isinstance(kernel, Specialized):
        kernel, positional = kernel.factory, [None]
    elif isinstance(kernel, InPlace):
        kernel, positional = kernel.function, [None, *positional]
    if not callable(kernel):
        yield f"the kernel of {op.name}{op.signature} should be a function, it is {kernel!r:.80}"
        return
    try:
        signature = inspect.signature(kernel)
    except (ValueError, TypeError):
        return  # built in: the engine does not say
    try:
        signature.bind(*positional, **{name: None for name in op.attributes if name != "name"})
    except TypeError as error:
        yield f"the kernel of {op.name}{op.signature} has the signature {signature}: {error}"


__all__ = ["PARTS", "validate"]
