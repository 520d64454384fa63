"""Cases: every declared sample in each of its dtypes, with input arrays."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import kbackend.ops  # noqa: F401 - declares all ops
from kbackend import dtypes
from kbackend.declare.op import DERIVED, REGISTRY, Op
from kbackend.declare.sample import In, Sample
from kbackend.ground.tree import tree_leaves, tree_map

#: the group of samples without inputs of kind 'float'
FIXED = "fixed"
#: the least distance of drawn values from those that a sample avoids
CLEARANCE = 0.05
#: the prefix that distinguishes derived functions of K from ops of the same name
DERIVED_PREFIX = "K."


@dataclass(frozen=True, eq=False)
class Case:
    """One sample of an op in one dtype.

    Attributes:
        op: the op or derived function.
        index: the index of the sample among the op's samples.
        sample: the sample.
        group: the dtype of inputs of kind 'float', or 'fixed' if there are none.
        ins: the declared inputs, in the order of the call.
        arrays: their values.
    """

    op: Op
    index: int
    sample: Sample
    group: str
    ins: tuple[In, ...]
    arrays: tuple[np.ndarray, ...]

    @property
    def label(self) -> str:
        name = f" {self.sample.name!r}" if self.sample.name else ""
        return f"{op_key(self.op)}[{self.index}]{name} {self.group}"

    def call(self, values: Sequence[Any]) -> Any:
        """Call the op with one value for each input."""
        rest = iter(values)
        args = [_filled(a, lambda: next(rest)) for a in self.sample.args]
        kwargs = {k: _filled(v, lambda: next(rest)) for k, v in self.sample.kwargs.items()}
        return invoke(self.op, args, kwargs)

    def widened(self) -> tuple[np.ndarray, ...]:
        """The inputs, those of kind 'float' cast to float64."""
        return tuple(a.astype(np.float64) if i.kind == "float" else a for i, a in zip(self.ins, self.arrays))

    def with_arrays(self, arrays: Sequence[np.ndarray]) -> Case:
        return replace(self, arrays=tuple(arrays))


def invoke(op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the public function of an op or a derived function."""
    return op.public(*args, **kwargs)


def op_key(op: Op) -> str:
    """A name that is unique among ops and derived functions."""
    return f"{DERIVED_PREFIX}{op.name}" if op.kind == "derived" else op.name


def find_op(key: str) -> Op:
    """The op of a key of :func:`op_key`."""
    return DERIVED[key.removeprefix(DERIVED_PREFIX)] if key.startswith(DERIVED_PREFIX) else REGISTRY[key]


def all_ops() -> list[Op]:
    """All ops and derived functions, except the structural ones, which the lowering handles."""
    return [op for op in (*REGISTRY.values(), *DERIVED.values()) if op.kind != "structural"]


@cache
def samples_of(op: Op) -> tuple[Sample, ...]:
    """The calls that an op declares for the kit; none where it declares none."""
    return tuple(op.samples()) if op.samples is not None else ()


def groups(op: Op) -> list[str]:
    """The dtypes of the op's samples; 'fixed' for samples without inputs of kind 'float'."""
    found: dict[str, None] = {}
    for sample in samples_of(op):
        found.update(dict.fromkeys(sample_groups(sample)))
    return list(found)


def sample_groups(sample: Sample) -> tuple[str, ...]:
    return tuple(sample.dtypes) if any(i.kind == "float" for i in inputs_of(sample)) else (FIXED,)


@cache
def cases(op: Op, group: str) -> tuple[Case, ...]:
    """The cases of the op in a group."""
    return tuple(
        make_case(op, index, sample, group)
        for index, sample in enumerate(samples_of(op))
        if group in sample_groups(sample)
    )


def make_case(op: Op, index: int, sample: Sample, group: str) -> Case:
    """The sample with its arrays, drawn in float64 from a fixed seed and rounded to the dtype."""
    ins = tuple(inputs_of(sample))
    seed = zlib.crc32(f"{op_key(op)}:{index}".encode())
    arrays = tuple(realise(i, group, np.random.default_rng([seed, place])) for place, i in enumerate(ins))
    return Case(op, index, sample, group, ins, arrays)


def named(sample: Sample) -> Sample:
    """The sample with its call for a name, as faults show it."""
    shown = [_shown(a) for a in sample.args] + [f"{k}={_shown(v)}" for k, v in sample.kwargs.items()]
    return Sample(**{**{f: getattr(sample, f) for f in Sample.__dataclass_fields__}, "name": f"({', '.join(shown)})"})


def _shown(value: Any) -> str:
    if isinstance(value, In):
        return f"{value.kind}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)


def inputs_of(sample: Sample) -> list[In]:
    leaves = tree_leaves((*sample.args, *sample.kwargs.values()), _is_namedtuple)
    return [leaf for leaf in leaves if isinstance(leaf, In)]


def _filled(value: Any, following: Callable[[], Any]) -> Any:
    return tree_map(lambda leaf: following() if isinstance(leaf, In) else leaf, value, _is_namedtuple)


def _is_namedtuple(value: Any) -> bool:
    return hasattr(value, "_fields")


def realise(declared: In, group: str, rng: np.random.Generator) -> np.ndarray:
    """An array for an input."""
    dtype = group if declared.kind == "float" else declared.kind
    if declared.values is not None:
        values = np.asarray(declared.values)
        if declared.shape and values.shape != declared.shape:
            values = np.broadcast_to(values, declared.shape)
    elif dtype == dtypes.BOOL:
        values = rng.integers(0, 2, declared.shape)
    elif dtypes.is_integer(dtype):
        values = rng.integers(int(declared.low), int(declared.high), declared.shape)
    elif dtypes.is_complex(dtype):
        values = _reals(declared, rng) + 1j * _reals(declared, rng)
    else:
        values = _reals(declared, rng)
    return np.array(values).astype(dtypes.numpy_dtype(dtype))


def _reals(declared: In, rng: np.random.Generator) -> np.ndarray:
    size = int(np.prod(declared.shape))
    if declared.distinct:
        unit = (rng.permutation(size) + 0.5) / max(size, 1)
    else:
        unit = rng.random(size)
    return _spread(unit, declared).reshape(declared.shape)


def _spread(unit: np.ndarray, declared: In) -> np.ndarray:
    """Map [0, 1) monotonically onto the parts of [low, high) that are distant from the values to avoid."""
    pieces, start = [], declared.low
    for value in sorted(declared.avoid):
        pieces.append((start, value - CLEARANCE))
        start = value + CLEARANCE
    pieces.append((start, declared.high))
    pieces = [(max(a, declared.low), min(b, declared.high)) for a, b in pieces]
    pieces = [(a, b) for a, b in pieces if b > a]
    if not pieces:
        raise ValueError(f"{declared} avoids all of its range")
    at = unit * sum(b - a for a, b in pieces)
    values = np.empty_like(at)
    for a, b in pieces:
        values[at >= 0] = a + at[at >= 0]
        at = at - (b - a)
    return values
