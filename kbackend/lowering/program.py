"""Programs: graphs lowered for one target and phase, the executables of ``K.function``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kbackend.graph.node import Role
from kbackend.graph.transactions import access
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.ground.collector import collector_at_rest
from kbackend.lowering.announce import announced
from kbackend.lowering.emit import Emitted, emit
from kbackend.lowering.explain import CompilerError, explained
from kbackend.lowering.rewrite import feeds_of, rewrite
from kbackend.plugin import crowding
from kbackend.plugin.contract import Target
from kbackend.plugin.modes import NotDeterministicError, reason_of, refusal
from kbackend.plugin.select import active_target, use_target
from kbackend.plugin.threads.running import with_threads

#: the shapes of the feeds of a program
Shapes = tuple[tuple[int, ...], ...]


class FeedError(ValueError):
    """The values passed to a function do not fit its inputs; nothing has run and no variable has changed."""


def arrange_variables(graph: Graph, kernels: Mapping[str, Any], target: Target) -> None:
    """Convert variables to the memory order that the kernels which read them declare."""
    for node in graph.depth_first():
        for position, wanted in getattr(kernels.get(node.op.name), "memory", {}).items():
            operand = node.args[position]
            if isinstance(operand, Variable):
                target.backend.arrange(operand, target, wanted(len(operand.shape)))


def lowered(graph: Graph, target: Target, phase: int, rng: str, around: tuple[int, ...] = ()) -> Emitted:
    """A graph as a function of its feeds and of the cells of its variables, for a target and phase.

    Args:
        rng: "portable" or "native" draws.
        around: the levels at which a tape of the caller records the function as a whole.

    Raises:
        FeedError: the graph needs a placeholder that is not among its inputs.
        MissingKernel: the backend cannot compute an op.
    """
    kernels = target.backend.table(rng)
    rewritten = rewrite(graph, kernels, phase)
    unfed = feeds_of(rewritten)
    if unfed:
        raise FeedError(
            f"{graph.name}: these placeholders are needed and not fed: {', '.join(t.name for t in unfed)}"
        )
    arrange_variables(rewritten, kernels, target)
    with use_target(target):
        return emit(rewritten, target, kernels, rewritten.variables(), around)


class Program:
    """A graph lowered for one target and phase.

    Args:
        rng: "portable" or "native" draws.
        shapes: the shapes of the feeds, if they are equal for all calls and the backend uses them.

    Attributes:
        source: the generated Python source.
    """

    @collector_at_rest()
    def __init__(
        self, graph: Graph, target: Target, phase: int, jit: Any, rng: str, shapes: Shapes | None = None
    ) -> None:
        self.target = target
        self.rng = rng
        self.jit = jit
        self._graph = graph
        self._waits = True  # for its first run, in which engines compile
        with use_target(target), announced(graph.name, target.key):
            self.emitted = lowered(graph, target, phase, rng)
            self.emitted.shapes = shapes or self.emitted.shapes
            self._runner = self._compiled(jit)
        self.source = self.emitted.source
        made = self.emitted
        updated = [*made.updated, *made.in_place, *made.counters]
        self._access = access(made.variables, updated) if made.variables else None

    def __call__(self, feeds: Sequence[Any]) -> Sequence[Any]:
        if self._waits:
            self._waits = False
            with announced(self._graph.name, self.target.key):
                return self(feeds)
        if crowding.last[0] is not self.target:
            crowding.changed(self.target)
        if active_target() is not self.target:  # kernels create tensors on the active device
            with use_target(self.target):
                return self(feeds)
        try:
            if self._access is None:
                return self._runner(feeds)
            return self._access(self._runner, feeds)
        except Exception as error:
            self._explain(error, feeds)
            raise

    def _compiled(self, jit: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
        try:
            runner = self.target.backend.compile(self.emitted, self.target, jit)
        except Exception as error:
            self._explain(error)
            raise
        return with_threads(runner, self.target, measured=jit is not True or not self.target.backend.compiler)

    def _explain(self, error: Exception, feeds: Sequence[Any] | None = None) -> None:
        """Raise a better error than the engine's: of shape inference, of the node that failed, or of the compiler.

        Returns if there is none.
        """
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
        differentiated = any(n.op.role is Role.GRADIENTS for n in nodes) and nodes[-1].op.role is not Role.GRADIENTS
        gradient = "the gradient of " if differentiated else ""
        subject = f"{gradient}{op} (the node {node!r} of {name})"
        raise refusal(subject, self.target.key, op, node, reason) from error
