"""Code generation: a planned graph as one flat Python function that calls kernels by name."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kbackend.graph.node import Node, Role
from kbackend.graph.show import Names, identifier
from kbackend.graph.tensor import Shape, Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, map_args
from kbackend.ground.interrupts import hold_interrupts
from kbackend.lowering.plan import Plan, last_uses, plan
from kbackend.plugin.contract import InPlace, Target

INDENT = "    "
_programs = itertools.count()


@dataclass
class Emitted:
    """A generated program.

    ``function(*feeds, cells) -> (outputs, new values of `updated`)``.

    Attributes:
        source: its Python source.
        function: the function that the source defines.
        graph: the rewritten graph.
        variables: the variables read or written, in the order of ``cells``.
        updated: the variables to which the returned new values are assigned.
        in_place: the variables that kernels update in place.
        counters: the variables that are incremented by one.
        nodes: (file, line) as in tracebacks -> the node that the line computes.
        shapes: the shapes of the feeds, with None for sizes that may differ between calls.
    """

    source: str
    function: Callable[..., Any]
    graph: Graph
    variables: list[Variable]
    updated: list[Variable]
    in_place: list[Variable]
    counters: list[Variable]
    namespace: dict[str, Any] = field(repr=False, default_factory=dict)
    nodes: dict[tuple[str, int], Node] = field(repr=False, default_factory=dict)
    shapes: Sequence[Shape] = ()

    def __post_init__(self) -> None:
        self.shapes = self.shapes or [t.shape for t in self.graph.inputs]


class Emitter:
    """Generates one function; the bodies of loops and branches have emitters of their own.

    Args:
        kernels: the backend's kernels for the mode of the program.
        functions: the sources of all bodies, in the order of generation; shared by the emitters of a program.
        nodes: see :class:`Emitted`; shared by the emitters of a program.
        base: the first tape level available to gradients inside a body.
        around: the tape levels at which a body as a whole is recorded.
        immediate: whether the function is called with concrete tensors also on backends that trace.
    """

    def __init__(
        self,
        target: Target,
        kernels: Mapping[str, Any],
        functions: list[str],
        nodes: dict[tuple[str, int], Node],
        base: int = 0,
        around: tuple[int, ...] = (),
        immediate: bool = False,
    ) -> None:
        self.immediate = immediate
        self.backend = target.backend
        self.target = target
        self.kernels = kernels
        self.nodes = nodes
        self.node_of_line: list[Node | None] = []
        self.namespace: dict[str, Any] = {}
        self.bound: dict[tuple[str, Any], str] = {}
        self.stems: dict[str, int] = {}
        self.functions = functions
        self.base = base
        self.around = around
        self.names = Names()
        self.registers: dict[int, str] = {}
        self.taken: set[str] = {"cells", "results"}
        self.plain_of: dict[int, dict[tuple[int, ...], str]] = {}
        self.lines: list[str] = []
        self.recording = False
        self.constants: dict[int, str] = {}
        self.in_place_updates: dict[int, Variable] = {}

    # names ------------------------------------------------------------------------------------------------

    def bind(self, stem: str, value: Any) -> str:
        """A name in the program's namespace for a Python value."""
        key = (stem, value if callable(value) else id(value))  # bound methods are new objects at each access, but equal
        if key not in self.bound:
            count = self.stems.get(stem, 0) + 1
            name = stem if count == 1 else f"{stem}_{count}"
            while name in self.taken or name in self.namespace:
                count += 1
                name = f"{stem}_{count}"
            self.stems[stem] = count
            self.namespace[name] = value
            self.bound[key] = name
        return self.bound[key]

    def register(self, tensor: Tensor) -> str:
        key = id(tensor)
        name = self.constants.get(key) or self.registers.get(key)
        if name is None:
            name = self.names(tensor)
            while name in self.namespace or name in self.taken:
                name += "_"
            self.registers[key] = name
            self.taken.add(name)
        return name

    def operand(self, tensor: Tensor, levels: tuple[int, ...], made: Plan) -> str:
        """The register of an operand for code recorded at ``levels``, detached from the other levels of the tape."""
        own = made.levels.get(id(tensor), ())
        if not own or own == levels or set(own) <= set(levels) or id(tensor) in self.constants:
            return self.register(tensor)
        names = self.plain_of.setdefault(id(tensor), {})
        if levels not in names:
            name = f"{self.register(tensor)}_plain" + "".join(map(str, levels))
            tape = self.bind("plain", self.backend.tape.plain)
            self.line(f"{name} = {tape}({self.register(tensor)}, {tuple(sorted({*self.around, *levels}))!r})")
            names[levels] = name
        return names[levels]

    def line(self, text: str) -> None:
        self.lines.append(INDENT + text)

    # nodes ------------------------------------------------------------------------------------------------

    def constant(self, node: Node, made: Plan) -> None:
        value = node.attrs["value"]
        out = node.outputs[0]
        if self.backend.eager or self.immediate:
            bound = self.bind(f"c_{identifier(out.name)}", self.target.feed(value))
            if made.watched.get(id(out)):  # a name of the function, which is assigned what is recorded
                self.line(f"{self.register(out)} = {bound}")
            else:
                self.constants[id(out)] = bound
            return
        bound = self.bind(f"c_{identifier(out.name)}", value)
        self.line(f"{self.register(out)} = {self.bind('constant', self.backend.constant)}({bound})")

    def watch(self, tensor: Tensor, made: Plan) -> None:
        for level in made.watched.get(id(tensor), ()):
            self.record(True)
            name = self.register(tensor)
            self.line(f"{name} = {self.bind('watch', self.backend.tape.watch)}({level}, {name})")

    def record(self, on: bool) -> None:
        if self.backend.tape.switches and self.recording != on and not self.around:
            self.recording = on
            self.line(f"{self.bind('record', self.backend.tape.record)}({on})")

    def node(self, node: Node, made: Plan, last: bool, cells: dict[int, int]) -> None:
        before = len(self.lines)
        self.computation(node, made, last, cells)
        self.node_of_line += [None] * (before - len(self.node_of_line))
        self.node_of_line += [node] * (len(self.lines) - before)

    def computation(self, node: Node, made: Plan, last: bool, cells: dict[int, int]) -> None:
        if node.op.role is Role.CONSTANT:
            return self.constant(node, made)
        if node.op.role is Role.GRADIENTS:
            return self.gradients(node, made, last)
        levels = made.recorded(node)
        self.record(bool(levels))
        kernel, attrs = self.kernel(node, made)
        if isinstance(kernel, InPlace):
            return self.in_place(node, kernel, attrs, made, cells)
        args = [self.argument(a, levels, made) for a in node.args]
        text = args + [f"{k}={self.attribute(k, v, node)}" for k, v in attrs.items()]
        outputs = ", ".join(self.register(t) for t in node.outputs)
        self.line(
            f"{outputs}{'' if node.single else ','} = {self.bind(node.op.name, kernel)}({', '.join(text)})"
        )
        return None

    def in_place(
        self, node: Node, kernel: InPlace, attrs: dict[str, Any], made: Plan, cells: dict[int, int]
    ) -> None:
        """A call of a kernel that updates variables in place.

        It gets their cells; operands that are lists of these variables are replaced by ().
        """
        holders = "".join(f"cells[{cells[id(t)]}], " for t in node.outputs)
        own = {id(self.in_place_updates[id(t)]) for t in node.outputs}
        held = [isinstance(a, tuple) and all(id(t) in own for t in a) for a in node.args]
        args = ["()" if skip else self.argument(a, (), made) for a, skip in zip(node.args, held)]
        text = args + [f"{k}={self.attribute(k, v, node)}" for k, v in attrs.items()]
        self.line(f"{self.bind(node.op.name, kernel.function)}(({holders}), {', '.join(text)})")

    def kernel(self, node: Node, made: Plan) -> tuple[Any, dict[str, Any]]:
        attrs = {k: v for k, v in node.attrs.items() if k != "name"}
        if node.op.name not in self.kernels:
            self.backend.missing(node.op.name)
        subgraphs = {
            k: self.subgraph(v, f"{node.op.name}_{k}", node, made)
            for k, v in attrs.items()
            if isinstance(v, Graph)
        }
        specs = [map_specs(a) for a in node.args]
        kernel, rest = self.backend.bind_kernel(self.kernels[node.op.name], specs, {**attrs, **subgraphs})
        recorded = self.around or made.recorded(node)
        return kernel if recorded else self.backend.tape.untaped(kernel), rest

    def argument(self, arg: Any, levels: tuple[int, ...], made: Plan) -> str:
        if isinstance(arg, Tensor):
            return self.operand(arg, levels, made)
        if isinstance(arg, tuple):
            return "(" + "".join(f"{self.argument(a, levels, made)}, " for a in arg) + ")"
        return "None"

    def attribute(self, key: str, value: Any, node: Node) -> str:
        return repr(value) if is_literal(value) else self.bind(f"{node.op.name}_{key}", value)

    def gradients(self, node: Node, made: Plan, last: bool) -> None:
        loss, sources = node.args
        level = made.level_of[node.number]
        nested = node.number in made.nested or bool(self.around)
        self.record(nested)
        tensors = "".join(f"{self.register(t)}, " for t in sources)
        outputs = "".join(f"{self.register(t)}, " for t in node.outputs)
        around = tuple(sorted({*made.recorded(node), level}))
        call = f"{self.bind('gradients', self.backend.tape.gradients)}({level}, {self.operand(loss, around, made)}"
        self.line(f"{outputs}= {call}, ({tensors}), {nested}, {last})")

    def subgraph(self, graph: Graph, name: str, node: Node, made: Plan) -> Callable[..., Any]:
        """The body of a loop or branch as a function of its inputs that returns a tuple.

        The attribute ``graph`` of the function is the graph of the body.
        """
        base = 1 + max(made.level_of.values(), default=self.base - 1)
        around = tuple(sorted({*self.around, *made.recorded(node)}))
        inner = Emitter(self.target, self.kernels, self.functions, self.nodes, base, around)
        return inner.function(graph, name)

    # functions --------------------------------------------------------------------------------------------

    def body(self, graph: Graph, made: Plan, cells: dict[int, int]) -> None:
        for tensor in graph.inputs:
            self.watch(tensor, made)
        dead_after = _dying(made.nodes, graph, last_uses(made.nodes, graph.results))
        final = max((i for i, n in enumerate(made.nodes) if n.op.role is Role.GRADIENTS), default=-1)
        for index, node in enumerate(made.nodes):
            if node.op.role is not Role.VARIABLE:
                self.node(node, made, index == final, cells)
                for tensor in node.outputs:
                    self.watch(tensor, made)
            self.drop(dead_after.get(index, ()))

    def drop(self, tensors: Sequence[Tensor]) -> None:
        names = [self.register(t) for t in tensors if id(t) not in self.constants]
        names += [name for t in tensors for name in self.plain_of.get(id(t), {}).values()]
        if names:
            self.line(f"del {', '.join(names)}")

    def result(self, tensor: Tensor, made: Plan) -> str:
        name = self.operand(tensor, (), made)
        return f"{self.bind('copy', self.backend.copy)}({name})" if _may_alias(tensor) else name

    def function(self, graph: Graph, name: str) -> Callable[..., Any]:
        """Emit ``graph`` as a function of its inputs that returns a tuple."""
        made = plan(graph, self.base)
        inputs = ", ".join(self.register(t) for t in graph.inputs)
        for tensor in graph.inputs:
            self.enter(tensor, made)
        self.body(graph, made, {})
        results = "".join(f"{self.operand(t, (), made)}, " for t in graph.outputs)
        self.record(False)
        self.line(f"return ({results})")
        name = f"{name}_{len(self.functions) + 1}"
        source = "\n".join([f"def {name}({inputs}):", *self.lines])
        self.functions.append(source)
        function = self.compiled(source, name)
        function.graph = graph  # type: ignore[attr-defined]
        return function

    def compiled(self, source: str, name: str) -> Callable[..., Any]:
        function = compile_source(source, name, self.namespace)
        file = function.__code__.co_filename
        for line, node in enumerate(self.node_of_line, 2):  # line 1 is the signature
            if node is not None:
                self.nodes[file, line] = node
        return function

    def enter(self, tensor: Tensor, made: Plan) -> None:
        """Give an operand with respect to which the body differentiates a tensor object of its own."""
        if made.watched.get(id(tensor)):
            name = self.register(tensor)
            self.line(f"{name} = {self.bind('enter', self.backend.tape.enter)}({name})")


def emit(
    graph: Graph, target: Target, kernels: Mapping[str, Any], variables: list[Variable], around: tuple[int, ...] = ()
) -> Emitted:
    """Emit a rewritten graph for ``target``, recorded as a whole at the levels ``around``."""
    backend = target.backend
    emitter = Emitter(target, kernels, [], {}, len(around), around)
    emitter.taken.add(identifier(graph.name))  # the function would shadow a kernel of that name
    made = plan(graph, len(around))
    position = {id(v): i for i, v in enumerate(variables)}
    in_place = {
        id(value): variable
        for variable, value in graph.updates
        if isinstance(kernels.get(value.node.op.name), InPlace)
    }
    emitter.in_place_updates = in_place
    cells = {key: position[id(variable)] for key, variable in in_place.items()}
    made.nodes.sort(key=lambda n: bool(n.outputs) and id(n.outputs[0]) in in_place)
    functional = [(variable, value) for variable, value in graph.updates if id(value) not in in_place]
    if variables:
        held = "".join(f"{emitter.register(v)}, " for v in variables)
        emitter.line(
            f"{held}= cells" if backend.eager else f"{held}= {emitter.bind('read', backend.read)}(cells)"
        )
    for variable in variables:
        emitter.watch(variable, made)
    _emit_body(emitter, graph, made, cells, functional)
    inputs = "".join(f"{emitter.register(t)}, " for t in graph.inputs)
    name = identifier(graph.name)
    source = "\n".join([f"def {name}({inputs}cells):", *emitter.lines])
    function = emitter.compiled(source, name)
    source = "\n\n\n".join([*emitter.functions, source])
    return Emitted(
        source,
        function,
        graph,
        variables,
        [v for v, _ in functional],
        list(in_place.values()),
        [v for v in variables if v.counter],
        emitter.namespace,
        emitter.nodes,
    )


def _emit_body(
    emitter: Emitter,
    graph: Graph,
    made: Plan,
    cells: dict[int, int],
    functional: list[tuple[Variable, Tensor]],
) -> None:
    """Emit all nodes, then the results, then the kernels that update variables in place."""
    before = [n for n in made.nodes if not (n.outputs and id(n.outputs[0]) in cells)]
    after = made.nodes[len(before) :]
    kept = graph.outputs + tuple(v for _, v in functional) + tuple(t for n in after for t in n.inputs)
    rest = Plan(before, made.levels, made.watched, made.level_of, made.nested)
    emitter.body(Graph(graph.inputs, kept), rest, cells)
    emitter.record(False)
    outputs = "".join(f"{emitter.result(t, made)}, " for t in graph.outputs)
    values = "".join(f"{emitter.result(v, made)}, " for _, v in functional)
    if not after:
        emitter.line(f"return ({outputs}), ({values})")
        return
    emitter.line(f"results = ({outputs}), ({values})")
    if emitter.backend.eager:
        emitter.line(f"{emitter.bind('hold_interrupts', hold_interrupts)}()")
    for node in after:
        emitter.node(node, made, False, cells)
    emitter.line("return results")


def map_specs(arg: Any) -> Any:
    if isinstance(arg, Tensor):
        return arg.spec
    if isinstance(arg, tuple):
        return [map_specs(a) for a in arg]
    return arg


def _dying(nodes: list[Node], graph: Graph, last: dict[int, int]) -> dict[int, list[Tensor]]:
    """Index of a node -> the tensors whose last use it is."""
    dying: dict[int, list[Tensor]] = {}
    seen: set[int] = set()
    results = {id(t) for t in graph.results}
    for node in nodes:
        for t in (*node.inputs, *node.outputs):
            if id(t) in seen or id(t) in results:
                continue
            seen.add(id(t))
            if id(t) in last:
                dying.setdefault(last[id(t)], []).append(t)
    return dying


def _may_alias(tensor: Tensor) -> bool:
    """Whether the tensor may share memory with a variable, a constant or an input."""
    while True:
        node = tensor.node
        bodies = [v for v in node.attrs.values() if isinstance(v, Graph)]
        if not node.inputs or any(_may_alias(t) for body in bodies for t in body.outputs):
            return True
        if not node.op.view:
            return False
        tensor = node.inputs[0]


def is_literal(value: Any) -> bool:
    if isinstance(value, float):
        return np.isfinite(value)
    if isinstance(value, tuple):
        return all(is_literal(v) for v in value)
    return value is None or isinstance(value, (bool, int, str))


def compile_source(source: str, name: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function that the source defines; tracebacks show its lines while it lives."""
    filename = f"<kbackend program {name} {next(_programs)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), namespace)
    function = namespace[name]
    weakref.finalize(function, linecache.cache.pop, filename, None).atexit = False
    return function


__all__ = ["Emitted", "emit", "map_args"]
