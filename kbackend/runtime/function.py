"""``K.function``: a graph as a callable with a cache of programs, one for each engine, device, phase and mode."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from kbackend.declare.call import make_node
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Role
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.ground.public import Public
from kbackend.lowering.automatic import faster
from kbackend.lowering.explain import refused
from kbackend.lowering.program import FeedError, Program, Shapes
from kbackend.plugin.contract import Target
from kbackend.plugin.modes import modes, rng_of
from kbackend.plugin.select import active_target
from kbackend.runtime.feeds import FeedCheck

#: how many shapes of feeds without elements a function keeps that it has checked
_EMPTY_KEPT = 128


class Function(Public):
    """A callable that maps values of ``inputs`` to values of ``outputs`` and applies ``updates``.

    Created by ``K.function``. Programs are compiled on the first call for each engine, device, phase and the modes of
    :mod:`kbackend.plugin.modes`, and cached.

    Args:
        jit: whether programs use the engine's compiler, "auto", or a function of the target that returns this.
        rng: "portable" or "native" draws; None for those of the process' mode.
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
        self._checks = [FeedCheck(name, t) for t in fed]
        self._empty: set[tuple[Shape, ...]] = set()
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
        """The cached programs, by target, phase and modes, and by shapes for a program of fixed shapes."""
        return dict(self._programs)

    @property
    def source(self) -> str:
        """The Python source of the program for the active engine."""
        return self.program(active_target(), self._default_phase).source

    def program(
        self, target: Target, phase: int, feeds: Sequence[Any] | None = None, shapes: Shapes | None = None
    ) -> Program:
        """The program for a target and phase, from the cache or lowered now.

        With ``jit="auto"`` it is cached from the first call with feeds on, on which it is measured.

        Args:
            shapes: the shapes of the feeds, if many calls with these will follow. Backends that use shapes get one
                program for the first such shapes; calls with other shapes share another.
        """
        key: tuple[Any, ...] = (target.key, phase, modes.key)
        if shapes is not None:
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

    def _first_of(self, key: tuple[Any, ...], shapes: Shapes) -> bool:
        """Whether no program is cached for other fixed shapes."""
        return all(other[3:] in ((), (shapes,)) for other in tuple(self._programs) if other[:3] == key)

    def _made(
        self, target: Target, phase: int, feeds: Sequence[Any] | None, shapes: Shapes | None = None
    ) -> Program:
        rng = self._rng or rng_of(target.backend)
        if self.jit == "auto" and feeds is not None:
            return faster(self.graph, target, phase, rng, feeds)
        jit = self.jit(target) if callable(self.jit) else self.jit
        return Program(self.graph, target, phase, jit, rng, shapes)

    def __call__(self, inputs: Sequence[Any] = (), as_numpy: bool = True) -> list[Any]:
        """Run the program for the active engine.

        Args:
            inputs: a list with one value for each input: tensors of an engine, arrays, numbers or data frames.
            as_numpy: whether outputs are converted to NumPy arrays; otherwise they are tensors of the engine.

        Returns:
            A list with one value for each output, computed from the state before the updates.

        Raises:
            TypeError: ``inputs`` is not a list or tuple.
            FeedError: the number of values, or the rank, shape or dtype of one, does not fit; nothing has run.
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

    def run(self, values: Sequence[Any], target: Target, phase: int) -> Sequence[Any]:
        """The outputs on a target in a phase, as tensors of the engine; the values are checked and converted."""
        empty: list[Tensor] = []
        feeds = [check(value, target, empty) for check, value in zip(self._checks, values)]
        if empty:
            self.check_empty(tuple(target.backend.spec(f).shape for f in feeds))
        return self.program(target, phase, feeds)(feeds)

    def check_empty(self, shapes: tuple[Shape, ...]) -> None:
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

    def __reduce__(self) -> Any:
        """Pickled and copied with variables of its own, which have the values of this function's.

        Raises:
            GraphFormatError: an op calls a Python function.
            TypeError: the function has sparse inputs, or belongs to a model.
        """
        if type(self) is not Function or callable(self.jit):
            raise TypeError(f"{self.name} cannot be copied: it has sparse inputs or belongs to a model")
        return _function, (self.graph, self._phase_at, self.jit, self._default_phase, self._rng)

    def __repr__(self) -> str:
        return f"<K.function {self.name}: {len(self.inputs)} inputs, {len(self.outputs)} outputs>"


def _function(graph: Graph, phase_at: int | None, jit: Any, phase: int, rng: str | None) -> Function:
    inputs = list(graph.inputs)
    if phase_at is not None:
        inputs.insert(phase_at, make_node(REGISTRY["learning_phase"], (), {"name": "learning_phase"}))
    return Function(inputs, graph.outputs, graph.updates, graph.name, jit, phase, rng)


def checked_jit(jit: Any) -> Any:
    """``jit``, if it is valid.

    Raises:
        ValueError: it is not None, False, True or "auto".
    """
    if jit not in (None, False, True, "auto"):
        raise ValueError(f"jit must be None, False, True or 'auto', it is {jit!r}")
    return jit


def is_phase(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and tensor.node.op.role is Role.PHASE


def _checked_phase(value: Any) -> int:
    number = int(value)
    if number not in (0, 1):
        raise FeedError(f"the learning phase is 0 (test) or 1 (train), it was given {value!r}")
    return number
