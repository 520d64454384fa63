"""What a backend is: parts for kernels, tensors, devices, state, programs and modes, and a tape.

Each part is a protocol. :class:`Backend` is all of them together with the defaults that they have, and what a plugin
derives from; :func:`kbackend.plugin.validate.validate` checks an object against every one of them when it is loaded.
Nothing else is called of a backend.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.gaps import Gap, MissingKernel
from kbackend.plugin.processes.group import DistributedError, Group
from kbackend.plugin.processes.launch import Launch, Launcher
from kbackend.plugin.runner import eager_runner

if TYPE_CHECKING:
    from kbackend.graph.variable import Variable
    from kbackend.plugin.exporting import Exporting
    from kbackend.plugin.modules.parts import ModelParts
    from kbackend.plugin.modules.wrapped import WrappedModule

Kernel = Callable[..., Any]
Method = TypeVar("Method", bound=Callable[..., Any])


class PluginError(RuntimeError):
    """A backend plugin cannot be used; the message lists every fault."""


class Specialized:
    """A kernel made for given attributes and specs, so that nothing of it is decided at run time.

    ``factory(specs, **attributes)`` returns the function of the operands.

    Args:
        memory: position of an operand -> function of its rank that gives the order of dimensions, slowest first, in
            which the kernel likes to find it in memory. Variables that are such operands are kept so, where the
            backend can (``Backend.arrange``); shapes do not change.
    """

    def __init__(
        self,
        factory: Callable[..., Kernel],
        memory: Mapping[int, Callable[[int], tuple[int, ...]]] | None = None,
    ) -> None:
        self.factory = factory
        self.memory = memory or {}
        self.__doc__ = factory.__doc__

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        raise TypeError("a specialized kernel is called through Backend.bind_kernel")


class InPlace:
    """A kernel that changes variables in place: an override of a multi-tensor update op.

    ``function(cells, *operands, **attributes)`` gets the holders of the variables that the op's results update,
    in the order of the results, and returns nothing. Operands that are lists of variables arrive as (): their
    holders are among ``cells``.
    """

    def __init__(self, function: Kernel) -> None:
        self.function = function
        self.__doc__ = function.__doc__


class Quiet(NamedTuple):
    """How warnings of an engine are switched off around a concrete call: ``leave`` gets what ``enter`` returned."""

    enter: Callable[[], Any]
    leave: Callable[[Any], Any]


class Target:
    """An engine on a device: the place where programs run and variables live."""

    def __init__(self, backend: Backend, device: str) -> None:
        self.backend = backend
        self.device = device
        self.key = f"{backend.name}:{device}"
        self.tensor_type, self.tensor_key, self.quiet = backend.tensor_type, backend.tensor_key, backend.quiet

    def __repr__(self) -> str:
        return f"<Target {self.key}>"

    def from_numpy(self, array: np.ndarray) -> Any:
        return self.backend.from_numpy(array, self.device)

    def feed(self, array: np.ndarray) -> Any:
        return self.backend.feed(array, self.device)

    def place(self, tensor: Any) -> Any:
        return self.backend.place(tensor, self.device)

    def make_cell(self, value: np.ndarray, variable: Any) -> Any:
        return self.backend.make_cell(value, variable, self.device)

    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        return self.backend.cell_to_numpy(cell)

    def cell_assign(self, cell: Any, value: np.ndarray) -> Any:
        return self.backend.cell_assign(cell, value, self.device)

    def cell_write(self, cell: Any, value: Any) -> None:
        self.backend.cell_write(cell, value)


def required(method: Method) -> Method:
    """Mark a method of a part that has no default."""
    method.required = True  # type: ignore[attr-defined]
    return method


class Kernels(Protocol):
    """The functions that compute ops.

    Attributes:
        name: the name users type.
        kernels: op name -> kernel with the op's operands by position and its attributes as keywords.
        gaps: op name -> Gap for what is absent.
        native_kernels: op name -> kernel that draws from the engine's own generator, with the operands and attributes
            of the ops random_bits, random_unit, standard_normal and dropout; see kbackend.plugin.native. Without
            them draws are portable whatever the mode.
    """

    name: str
    kernels: Mapping[str, Kernel]
    gaps: Mapping[str, Gap] = {}
    native_kernels: Mapping[str, Kernel] = {}

    def table(self, rng: str) -> Mapping[str, Kernel]:
        """The kernels of programs whose draws are "portable" or "native"."""
        return {**self.kernels, **self.native_kernels} if rng == "native" else self.kernels

    def bind_kernel(
        self, kernel: Kernel, specs: Sequence[Any], attrs: Mapping[str, Any]
    ) -> tuple[Kernel, dict[str, Any]]:
        """The kernel for a node, and the attributes still to be given at the call."""
        if isinstance(kernel, Specialized):
            return kernel.factory(list(specs), **attrs), {}
        return kernel, dict(attrs)

    def guarded(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The result of a function of concrete tensors, with the engine's own errors as Python's."""
        return function(*args, **kwargs)

    def missing(self, op_name: str) -> None:
        """Raise for an op without kernel.

        Raises:
            MissingKernel: always.
        """
        gap = self.gaps.get(op_name)
        why = f"{gap.kind}: {gap.reason}" if gap else "the backend declares neither a kernel nor a gap"
        raise MissingKernel(f"{op_name} is not available on the backend {self.name} ({why})", gap)


class Tensors(Protocol):
    """The engine's tensors, to and from NumPy.

    Attributes:
        tensor_type, tensor_key: the exact type of the engine's concrete tensors, and a function that gives what
            kernels may depend on besides the values (dtype, shape, device) as something that hashes fast. With them
            concrete calls are kept (kbackend.declare.kept) and run without ``guarded``, but inside ``quiet``.
        quiet: for engines that warn of results that are not finite.
    """

    tensor_type: type | None = None
    tensor_key: Callable[[Any], Any] | None = None
    quiet: Quiet | None = None

    @required
    def is_tensor(self, value: Any) -> bool:
        """Whether a value is a tensor of the engine."""
        raise NotImplementedError

    @required
    def spec(self, tensor: Any) -> TensorSpec:
        """The shape and the dtype of a tensor."""
        raise NotImplementedError

    def dtype_of(self, tensor: Any) -> str:
        """The dtype of a tensor."""
        return self.spec(tensor).dtype

    @required
    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        """A tensor with a copy of the array's values."""
        raise NotImplementedError

    def feed(self, array: np.ndarray, device: str) -> Any:
        """A tensor for a program's input; may share the array's memory since programs do not write inputs."""
        return self.from_numpy(array, device)

    def constant(self, array: np.ndarray) -> Any:
        """A tensor for a constant, made inside a program of a backend that is not eager."""
        raise NotImplementedError

    @required
    def to_numpy(self, tensor: Any) -> np.ndarray:
        """An array with the tensor's values that later updates do not change."""
        raise NotImplementedError

    def number(self, tensor: Any) -> float:
        """The value of a tensor with one element."""
        return float(self.to_numpy(tensor))

    @required
    def copy(self, tensor: Any) -> Any:
        """The tensor in memory of its own, so that an update in place does not reach it."""
        raise NotImplementedError


class Devices(Protocol):
    """Where tensors may live.

    Attributes:
        uses_malloc: whether arrays come from the C library's malloc and go back at each step; then freed memory is kept
            for the next one (:mod:`kbackend.plugin.memory`).
        threads_variable: the environment variable that sets the number of threads.
        threads_scope: what ``set_threads`` reaches: the calling "thread", the "process", either at any time, or the
            engine at its "start" only, before the first kernel; None where the number cannot be set. Programs of the
            first two run with a number of threads that is measured (:mod:`kbackend.plugin.threads`).
    """

    uses_malloc: bool = False
    threads_variable: str = "OMP_NUM_THREADS"
    threads_scope: str | None = None

    def devices(self) -> list[str]:
        """Their names: "cpu", "cuda:0"."""
        return ["cpu"]

    def default_device(self) -> str:
        """The one that is used where none is chosen."""
        return self.devices()[0]

    def place(self, tensor: Any, device: str) -> Any:
        """The tensor on the device."""
        return tensor

    def hardware(self, device: str) -> str:
        """The make of an accelerator, "" of the processor; what was measured on another one does not count."""
        return ""

    def threads(self) -> int:
        """The threads that kernels of the processor use."""
        return 1

    def set_threads(self, number: int) -> None:
        """Let kernels of the processor use so many threads; only called where ``threads_scope`` is not None, and for
        programs at each call, so that both methods must be fast."""

    def synchronize(self, device: str) -> None:
        """Wait until all work on the device is done; for timing."""


class State(Tensors, Protocol):
    """How the values of variables are held: in a *cell*, a tensor that is replaced unless the backend says more."""

    def make_cell(self, value: np.ndarray, variable: Variable, device: str) -> Any:
        """The holder of a variable's value. Counters are held as Python ints by eager backends."""
        return int(value) if variable.counter else self.from_numpy(value, device)

    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        """The value in a cell."""
        return np.asarray(cell, np.int64) if isinstance(cell, int) else self.to_numpy(cell)

    def cell_assign(self, cell: Any, value: np.ndarray, device: str) -> Any:
        """The holder with a new value: the same one changed, or another."""
        return int(value) if isinstance(cell, int) else self.from_numpy(value, device)

    def cell_write(self, cell: Any, value: Any) -> None:
        """Write a tensor or Python int into the memory of a cell, which a module of the engine holds as well."""
        raise NotImplementedError

    def read(self, cells: Sequence[Any]) -> Sequence[Any]:
        """The tensors in the cells, inside a program of a backend that is not eager."""
        raise NotImplementedError

    def arrange(self, variable: Variable, target: Target, order: tuple[int, ...]) -> None:
        """Keep the variable's value in memory with its dimensions in this order, slowest first; it is a wish."""


class Programs(Protocol):
    """How emitted programs are run.

    Attributes:
        eager: whether programs run as plain Python (variables are replaced after a run), or the backend compiles
            and updates variables itself. One that is not eager needs ``constant``, ``read`` and ``compile``.
        uses_shapes: whether ``compile`` makes a better runner where ``emitted.shapes`` are known; then training gets a
            program for its batch size.
        compiler: the engine's compiler that jit=True uses, None where it has none.
    """

    eager: bool = True
    uses_shapes: bool = False
    compiler: str | None = None

    @required
    def version(self) -> str:
        """The version of the engine."""
        raise NotImplementedError

    def compile(self, emitted: Any, target: Target, jit: Any) -> Callable[..., Any]:
        """A runner for an emitted program: ``runner(feeds) -> outputs`` that also updates the variables.

        Eager backends run the emitted Python function as it is; see lowering/program.py.
        """
        return eager_runner(emitted, target)

    def exporting(self) -> Exporting | None:
        """How programs leave kbackend; None where they do not."""
        return None

    def compiler_failed(self, error: BaseException) -> str | None:
        """What the compiler of ``jit=True`` says when an error means that it could not compile, else None."""
        return None

    def places(
        self, error: BaseException, runner: Callable[..., Any] | None, feeds: Sequence[Any]
    ) -> list[tuple[str, int]]:
        """Files and lines that an error of a program comes from, what was called last at the end.

        Args:
            runner: what :meth:`compile` returned; the failed call changed nothing, and it may be made again. None for
                a call outside programs.
        """
        return [(f.filename, f.lineno or 0) for f in traceback.extract_tb(error.__traceback__)]


class Processes(Protocol):
    """Several processes that run one program together; see :mod:`kbackend.plugin.processes.group`.

    Attributes:
        launcher: what starts processes that this engine can join, None where it has no way.
        divides: whether weights may be divided among the processes: its kernel of ``gather_pieces`` gathers them.
    """

    name: str
    launcher: Launcher | None = None
    divides: bool = False

    def join(self, launch: Launch, device: str, timeout: float) -> Group:
        """Meet the other processes; the kernel of ``all_reduce`` sums over them from now on.

        Args:
            launch: how this process was started.
            device: of the tensors that are summed.
            timeout: seconds after which a process that does not come counts as lost.

        Raises:
            DistributedError: they did not come, or the engine is not able to.
        """
        raise DistributedError(f"the backend {self.name} runs in one process only")


class Modes(Protocol):
    """What the process may ask of an engine.

    Attributes:
        deterministic_for_good: whether ``set_deterministic(False)`` is beyond the engine.
    """

    deterministic_for_good: bool = False

    def set_deterministic(self, on: bool) -> None:
        """Make the engine use deterministic kernels only; or no longer, which is asked for after the former alone and
        only where ``deterministic_for_good`` is False. An engine that has no others does nothing."""

    def set_matmul_precision(self, precision: str) -> None:
        """Multiply float32 matrices on accelerators with "highest" or "high" precision (TensorFloat-32)."""

    def nondeterminism(self, error: BaseException) -> str | None:
        """What the engine says when an error means that a kernel is not deterministic, else None."""
        lines = [line.strip() for line in str(error).splitlines() if "determinis" in line.lower()]
        return lines[0] if lines else None


class Modules(Protocol):
    """The engine's own modules as layers, and models as modules of the engine; see :mod:`kbackend.plugin.modules`."""

    name: str

    def is_module(self, value: Any) -> bool:
        """Whether a value is a module of the engine."""
        return False

    def wrap_module(self, module: Any, label: str) -> WrappedModule:
        """What a layer needs of a module.

        Args:
            label: the layer, for messages.

        Raises:
            TypeError: it is no module of the engine.
        """
        raise TypeError(f"{label}: the backend {self.name} has no modules")

    def load_module(self, folder: str, endpoints: Sequence[str], label: str) -> Any:
        """A module of the engine from a folder in which it keeps programs.

        Args:
            endpoints: the names of the function, and of that in training where it is another one.
            label: the layer, for messages.

        Raises:
            ValueError: there is no such folder or function.
        """
        raise ValueError(f"{label}: the backend {self.name} keeps no programs in folders")

    def make_module(self, parts: ModelParts) -> Any:
        """A module of the engine that computes a model and holds its weights in the same memory.

        Raises:
            TypeError: the engine has no modules.
        """
        raise TypeError(f"the backend {self.name} has no modules; {parts.name} cannot be one")


class Tape(Protocol):
    """Differentiation on one engine. Gradient nodes of a program share one tape a level (depth of nesting).

    Attributes:
        switches: whether programs must switch recording on and off around the differentiated part.
    """

    switches: bool = False

    def watch(self, level: int, tensor: Any) -> Any:
        """The tensor, from here on recorded at ``level`` (0 is the outermost); itself when it already is."""
        return tensor

    def enter(self, tensor: Any) -> Any:
        """A handle of the operand of a loop's body: gradients taken in the body with respect to the handle do not
        reach through it to what the outer program made the operand of."""
        return tensor

    def plain(self, tensor: Any, levels: tuple[int, ...]) -> Any:
        """The tensor as seen by code that is recorded at ``levels`` only."""
        return tensor

    def untaped(self, kernel: Kernel) -> Kernel:
        """The kernel for operands that are recorded at no level, which may compute the same in less time."""
        return kernel

    @required
    def gradients(
        self, level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool
    ) -> Sequence[Any]:
        """d sum(loss) / d tensor for each tensor; zeros where the engine finds no path.

        Args:
            nested: the results are differentiated again.
            last: nothing after this needs the tape.
        """
        raise NotImplementedError

    def record(self, on: bool) -> None:
        """Switch recording; only called when ``switches`` is True."""


class Backend(Kernels, State, Devices, Programs, Processes, Modes, Modules):
    """Base class of all backends: the parts, which say what each member means, and their defaults.

    Attributes:
        tape: the differentiation functions.
    """

    tape: Tape


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__
