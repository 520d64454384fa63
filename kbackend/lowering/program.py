"""Programs: a graph lowered for one engine and phase, cached, and run on feeds. ``K.function`` makes these."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.lowering.emit import Emitted, emit
from kbackend.lowering.explain import CompilerError, explained, refused
from kbackend.lowering.plan import GRADIENTS, order
from kbackend.lowering.rewrite import feeds_of, rewrite
from kbackend.ops.dispatch import to_numpy
from kbackend.plugin import crowding
from kbackend.plugin.modes import NotDeterministicError, modes, reason_of, refusal, rng_of
from kbackend.plugin.select import active_target, use_target

#: of the feeds of one program
Shapes = tuple[tuple[int, ...], ...]
#: how many shapes of feeds without elements a function keeps that it has checked
_EMPTY_KEPT = 128


class FeedError(ValueError):
    """The values given to a function do not fit its inputs; nothing has run and nothing has changed."""


def eager_runner(emitted: Emitted, target: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Run the emitted function as it is; afterwards all updates take effect together."""
    function, variables, updated, counters = (
        emitted.function,
        emitted.variables,
        emitted.updated,
        emitted.counters,
    )

    def run(feeds: Sequence[Any]) -> Sequence[Any]:
        cells = [v.cell(target) for v in variables]
        outputs, new = function(*feeds, cells)
        for variable, value in zip(updated, new):
            variable.set_cell(target, value)
        for counter in counters:
            counter.set_cell(target, counter.cell(target) + 1)
        return outputs

    return run


def arrange_variables(graph: Graph, kernels: Mapping[str, Any], target: Any) -> None:
    """Bring variables into the order in memory that the kernels reading them like."""
    for node in order(graph):
        for position, wanted in getattr(kernels.get(node.op.name), "memory", {}).items():
            operand = node.args[position]
            if isinstance(operand, Variable):
                target.backend.arrange(operand, target, wanted(len(operand.shape)))


class Program:
    """A graph lowered for one target and phase.

    Args:
        rng: "portable" or "native" draws.
        shapes: of the feeds, where all calls have the same and the backend makes use of it.

    Attributes:
        source: the emitted Python.
    """

    def __init__(
        self, graph: Graph, target: Any, phase: int, jit: Any, rng: str, shapes: Shapes | None = None
    ) -> None:
        kernels = target.backend.table(rng)
        rewritten = rewrite(graph, kernels, phase)
        self.target = target
        self.rng = rng
        self.jit = jit
        self._graph = graph
        unfed = feeds_of(rewritten)
        if unfed:
            raise FeedError(
                f"{graph.name}: these placeholders are needed and not fed: {', '.join(t.name for t in unfed)}"
            )
        arrange_variables(rewritten, kernels, target)
        with use_target(target):
            self.emitted = emit(rewritten, target, kernels, rewritten.variables())
            self.emitted.shapes = shapes or self.emitted.shapes
            self._runner = self._compiled(jit)
        self.source = self.emitted.source
        self._lock = (
            threading.RLock()
            if self.emitted.updated or self.emitted.in_place or self.emitted.counters
            else None
        )

    def __call__(self, feeds: Sequence[Any]) -> Sequence[Any]:
        if crowding.last[0] is not self.target:
            crowding.changed(self.target)
        if active_target() is not self.target:  # kernels that make tensors make them on the program's device
            with use_target(self.target):
                return self._run(feeds)
        return self._run(feeds)

    def _run(self, feeds: Sequence[Any]) -> Sequence[Any]:
        try:
            if self._lock is None:
                return self._runner(feeds)
            with self._lock:
                return self._runner(feeds)
        except Exception as error:
            self._explain(error, feeds)
            raise

    def _compiled(self, jit: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
        try:
            return self.target.backend.compile(self.emitted, self.target, jit)
        except Exception as error:
            self._explain(error)
            raise

    def _explain(self, error: Exception, feeds: Sequence[Any] | None = None) -> None:
        """Raise an error that names the node, where the node or what is wrong with the shapes can be told, or the
        compiler."""
        backend = self.target.backend
        reason = reason_of(error, backend)
        failed = backend.compiler_failed(error) if self.jit is True and reason is None else None
        if failed is not None:
            specs = [backend.spec(f) for f in feeds or ()]
            raise explained(error, self._graph, specs, None) or CompilerError(
                self._graph.name, self.target, failed
            ) from error
        if reason is None and (feeds is None or isinstance(error, NotDeterministicError)):
            return
        places = backend.places(error, None if feeds is None else self._runner, feeds or ())
        nodes = [self.emitted.nodes[place] for place in places if place in self.emitted.nodes]
        if reason is None:
            found = explained(error, self._graph, [backend.spec(f) for f in feeds or ()], nodes[-1] if nodes else None)
            if found is not None:
                raise found from error
            return
        name = self.emitted.graph.name
        if not nodes:
            raise refusal(f"an op of {name}", self.target.key, None, None, reason) from error
        op, node = nodes[-1].op.name, nodes[-1].name
        gradient = "the gradient of " if op != GRADIENTS and any(n.op.name == GRADIENTS for n in nodes) else ""
        subject = f"{gradient}{op} (the node {node!r} of {name})"
        raise refusal(subject, self.target.key, op, node, reason) from error


class Function:
    """A callable made from a graph: values of ``inputs`` in, values of ``outputs`` out, ``updates`` applied.

    Made by ``K.function``. Programs are made on the first call for each engine, device, phase and the modes of
    :mod:`kbackend.plugin.modes`, and kept.

    Args:
        jit: whether programs go through the engine's compiler, "auto", or a function of the target that says it.
        rng: "portable" or "native" draws; those of the process' mode when None.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Tensor],
        updates: Sequence[tuple[Variable, Tensor]] = (),
        name: str = "function",
        jit: Any = None,
        phase: int = 0,
        rng: str | None = None,
    ) -> None:
        self.name = name
        self._rng = rng
        self.jit = jit
        self._phase_at = next((i for i, t in enumerate(inputs) if is_phase(t)), None)
        self._default_phase = phase
        fed = [t for t in inputs if not is_phase(t)]
        self.graph = Graph(fed, list(outputs), list(updates), name)
        self._checks = [_FeedCheck(name, t) for t in fed]
        self._empty: set[Shapes] = set()
        self._programs: dict[tuple[Any, ...], Program] = {}
        self._lock = threading.Lock()

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        return self.graph.outputs

    @property
    def programs(self) -> dict[tuple[Any, ...], Program]:
        """The programs made so far, by target, phase and modes, and by shapes where one was made for these alone."""
        return dict(self._programs)

    @property
    def source(self) -> str:
        """The program for the active engine, as Python."""
        return self.program(active_target(), self._default_phase).source

    def program(
        self, target: Any, phase: int, feeds: Sequence[Any] | None = None, shapes: Shapes | None = None
    ) -> Program:
        """The program for a target and phase, made at the first call; with ``jit="auto"`` kept from the first call
        that has feeds, on which it is measured.

        Args:
            shapes: of the feeds, where many calls with the same will follow. One program is made for such shapes on
                backends that make use of them; calls with any others share one.
        """
        key: tuple[Any, ...] = (target.key, phase, modes.key)
        shapes = shapes if target.backend.uses_shapes and self._first_of(key, shapes) else None
        key = key if shapes is None else (*key, shapes)
        found = self._programs.get(key)
        if found is None:
            with self._lock:
                found = self._programs.get(key)
                if found is None:
                    found = self._made(target, phase, feeds, shapes)
                    if self.jit != "auto" or feeds is not None:
                        self._programs[key] = found
        return found

    def _first_of(self, key: tuple[Any, ...], shapes: Shapes | None) -> bool:
        """Whether a program for these shapes alone is there, or none for other shapes alone."""
        return all(other[3:] in ((), (shapes,)) for other in tuple(self._programs) if other[:3] == key)

    def _made(
        self, target: Any, phase: int, feeds: Sequence[Any] | None, shapes: Shapes | None = None
    ) -> Program:
        rng = self._rng or rng_of(target.backend)
        if self.jit == "auto" and feeds is not None:
            from kbackend.lowering.automatic import faster

            return faster(self.graph, target, phase, rng, feeds)
        jit = self.jit(target) if callable(self.jit) else self.jit
        return Program(self.graph, target, phase, jit, rng, shapes)

    def __call__(self, inputs: Sequence[Any] = (), as_numpy: bool = True) -> list[Any]:
        """Run.

        Args:
            inputs: a list with one value for each input: engine tensors, arrays, numbers, data frames.
            as_numpy: False returns the engine's own tensors.

        Returns:
            A list with one value for each output, computed from the state before the updates.

        Raises:
            TypeError: ``inputs`` is not a list or tuple.
            FeedError: number, rank, shape or dtype of a value does not fit; nothing has run.
        """
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(f"{self.name}: `inputs` must be a list or tuple, it is {type(inputs).__name__}")
        values = list(inputs)
        expected = len(self._checks) + (self._phase_at is not None)
        if len(values) != expected:
            names = ", ".join(t.name for t in self.graph.inputs)
            raise FeedError(f"{self.name} takes {expected} values ({names}), it was given {len(values)}")
        phase = self._default_phase
        if self._phase_at is not None:
            phase = _checked_phase(values.pop(self._phase_at))
        target = active_target()
        outputs = self.run(values, target, phase)
        return [target.backend.to_numpy(t) for t in outputs] if as_numpy else list(outputs)

    def run(self, values: Sequence[Any], target: Any, phase: int) -> Sequence[Any]:
        """Check the values, run on a target in a phase, and return the engine's tensors."""
        empty: list[Tensor] = []
        feeds = [check(value, target, empty) for check, value in zip(self._checks, values)]
        if empty:
            self.check_empty(tuple(target.backend.spec(f).shape for f in feeds))
        return self.program(target, phase, feeds)(feeds)

    def check_empty(self, shapes: Shapes) -> None:
        """Check feeds of which some have no elements by the rules of all ops, as if their shapes had been known while
        the graph was built: what engines do with axes of size 0 differs.

        Raises:
            ValueError, IndexError, TypeError: what the rule of an op says; nothing has run.
        """
        if shapes in self._empty:
            return
        specs = [TensorSpec(shape, t.dtype) for shape, t in zip(shapes, self.inputs)]
        error = refused(self.graph, specs)
        if error is not None:
            raise error
        if len(self._empty) >= _EMPTY_KEPT:
            self._empty.clear()
        self._empty.add(shapes)

    def __repr__(self) -> str:
        return f"<K.function {self.name}: {len(self.inputs)} inputs, {len(self.outputs)} outputs>"


def checked_jit(jit: Any) -> Any:
    """``jit`` as it is given.

    Raises:
        ValueError: it is none of None, False, True and "auto".
    """
    if jit not in (None, False, True, "auto"):
        raise ValueError(f"jit must be None, False, True or 'auto', it is {jit!r}")
    return jit


def is_phase(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and tensor.node.op.name == "learning_phase"


def _checked_phase(value: Any) -> int:
    number = int(value)
    if number not in (0, 1):
        raise FeedError(f"the learning phase is 0 (test) or 1 (train), it was given {value!r}")
    return number


class _FeedCheck:
    """Checks and converts the value for one input."""

    def __init__(self, function: str, tensor: Tensor) -> None:
        self.where = f"{function}: input {tensor.name!r}"
        self.tensor = tensor
        self.shape = tensor.shape
        self.dtype = tensor.dtype
        self.numpy_dtype = dtypes.numpy_dtype(tensor.dtype) if tensor.dtype != "bfloat16" else None

    def __call__(self, value: Any, target: Any, empty: list[Tensor]) -> Any:
        """The value as a tensor of the target; the input is added to ``empty`` if it has no elements."""
        backend = target.backend
        if backend.is_tensor(value) and not isinstance(value, np.ndarray):
            spec = backend.spec(value)
            self.check_shape(spec.shape)
            if 0 in spec.shape:
                empty.append(self.tensor)
            if spec.dtype == self.dtype:
                return target.place(value)
            self.check_dtype(spec.dtype)
            return backend.kernels["cast"](target.place(value), dtype=self.dtype)
        if isinstance(value, Tensor):
            raise FeedError(f"{self.where} needs a value, it was given the symbolic {value!r}")
        try:
            array = to_numpy(value)
        except (TypeError, ValueError) as error:
            raise FeedError(
                f"{self.where} cannot take a value of type {type(value).__name__}: {error}"
            ) from None
        self.check_shape(array.shape)
        if not array.size:
            empty.append(self.tensor)
        if self.numpy_dtype is None or array.dtype != self.numpy_dtype:  # NumPy takes None for float64
            self.check_dtype(array.dtype)
            array = array.astype(dtypes.numpy_dtype(self.dtype))
        return target.feed(array)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != len(self.shape):
            raise FeedError(
                f"{self.where} has rank {len(self.shape)} {self.shape}; "
                f"it was given rank {len(shape)} {tuple(shape)}"
            )
        for given, wanted in zip(shape, self.shape):
            if wanted is not None and given != wanted:
                raise FeedError(f"{self.where} has shape {self.shape}, it was given {tuple(shape)}")

    def check_dtype(self, dtype: Any) -> None:
        try:
            given = dtypes.canonical(dtype)
        except TypeError:
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {dtype}") from None
        if dtypes.is_complex(given) and not dtypes.is_complex(self.dtype):
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {given}; take its real part")
        if dtypes.is_float(given) and not dtypes.is_inexact(self.dtype):
            raise FeedError(f"{self.where} has dtype {self.dtype}, it was given {given}; cast it explicitly")
        if self.dtype == dtypes.BOOL and given != dtypes.BOOL:
            raise FeedError(f"{self.where} has dtype bool, it was given {given}; compare it explicitly")
