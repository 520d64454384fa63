"""The backend object of the TensorFlow engine."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, record
from tensorflow.python.framework.ops import EagerTensor

from kbackend.graph.tensor import TensorSpec
from kbackend.graph.variable import not_at
from kbackend.plugin.contract import Backend, causes
from kbackend.plugin.processes.launch import TF_CONFIG
from kbackend_tensorflow import abilities, modes, processes
from kbackend_tensorflow.errors import refused_by_xla, translating
from kbackend_tensorflow.gaps import GAPS
from kbackend_tensorflow.gradients import sizes
from kbackend_tensorflow.gradients.tape import TensorFlowTape
from kbackend_tensorflow.grappler import keep_stacks
from kbackend_tensorflow.kernels import KERNELS
from kbackend_tensorflow.native import GENERATORS, NATIVE_KERNELS
from kbackend_tensorflow.presumed import empties, finite
from kbackend_tensorflow.presumed.effects import cannot_be_repeated
from kbackend_tensorflow.registered import released_with


class TensorFlowBackend(Backend):
    """Tensors are ``tf.Tensor``; programs are traced once with ``tf.function``, jit=True compiles them with XLA."""

    name = "tensorflow"
    kernels = KERNELS
    gaps = GAPS
    native_kernels = NATIVE_KERNELS
    deterministic_for_good = True
    tape = TensorFlowTape()
    compiler = "XLA"
    tensor_type = EagerTensor
    eager = False
    uses_shapes = True
    threads_variable = "TF_NUM_INTRAOP_THREADS"
    threads_scope = "start"

    def __init__(self) -> None:
        self.tensor_key = _KEYS[len(self.devices()) > 1]

    def hardware(self, device: str) -> str:
        if not device.startswith("cuda"):
            return ""
        found = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2] or 0)]
        return str(tf.config.experimental.get_device_details(found).get("device_name", ""))

    def compiler_failed(self, error: BaseException) -> str | None:
        reasons = [reason for e in causes(error) if (reason := refused_by_xla(e))]
        return reasons[-1] if reasons else None  # TensorFlow's own, before it was translated

    def version(self) -> str:
        return tf.__version__

    def threads(self) -> int:
        given = tf.config.threading.get_intra_op_parallelism_threads() or os.environ.get("TF_NUM_INTRAOP_THREADS")
        return int(given) if given else os.cpu_count() or 1

    def set_threads(self, number: int) -> None:
        """Before the first operation; afterwards TensorFlow refuses, and keeps the number that it started with."""
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(number)

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, (tf.Tensor, tf.Variable))

    def spec(self, tensor: Any) -> TensorSpec:
        return TensorSpec(tuple(tensor.shape), tensor.dtype.name)

    def dtype_of(self, tensor: Any) -> str:
        return tensor.dtype.name

    @modes.outside
    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        with tf.device(_tf_device(device)):
            return tf.constant(array)

    @modes.outside
    def constant(self, array: np.ndarray) -> Any:
        return tf.constant(array)

    @modes.outside
    def to_numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.numpy())

    @modes.outside
    def place(self, tensor: Any, device: str) -> Any:
        if tensor.device.endswith(_tf_device(device)):
            return tensor
        with tf.device(_tf_device(device)):
            return tf.identity(tensor)

    @modes.outside
    def copy(self, tensor: Any) -> Any:
        return tf.identity(tensor)

    def devices(self) -> list[str]:
        return ["cpu", *(f"cuda:{i}" for i, _ in enumerate(tf.config.list_physical_devices("GPU")))]

    def default_device(self) -> str:
        return self.devices()[-1 if len(self.devices()) == 1 else 1]

    # state: cells are tf.Variables that programs capture

    @modes.outside
    def make_cell(self, value: np.ndarray, variable: Any, device: str) -> Any:
        where = "CPU:0" if variable.counter or variable.host else _tf_device(device)
        with tf.init_scope(), tf.device(where):
            return tf.Variable(value, trainable=variable.trainable and not variable.counter, name=None)

    @modes.outside
    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        return np.array(cell.numpy())

    @modes.outside
    def cell_assign(self, cell: Any, value: np.ndarray, device: str) -> Any:
        tf.raw_ops.AssignVariableOp(resource=cell.handle, value=value)  # half the time of cell.assign
        return cell

    @modes.outside
    def cell_write(self, cell: Any, value: Any) -> None:
        cell.assign(value, read_value=False)

    def read(self, cells: Sequence[Any]) -> list[Any]:
        return [cell.value() for cell in cells]

    @modes.outside
    def guarded(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return translating(function, *args, **kwargs)

    # modules

    def is_module(self, value: Any) -> bool:
        from kbackend_tensorflow.wrapped import is_module

        return is_module(value)

    def wrap_module(self, module: Any, label: str) -> Any:
        from kbackend_tensorflow.wrapped import TensorFlowWrapped

        if not self.is_module(module):
            raise TypeError(f"{label} needs a tf.Module that can be called, or a tf.function; it was given {module!r}")
        return TensorFlowWrapped(module, label)

    def load_module(self, folder: str, endpoints: Sequence[str], label: str) -> Any:
        from kbackend_tensorflow.wrapped import SavedFunctions

        return SavedFunctions(folder, endpoints, label)

    def make_module(self, parts: Any) -> Any:
        from kbackend_tensorflow.model_module import ModelModule

        return ModelModule(parts)

    def exporting(self) -> Any:
        from kbackend_tensorflow.exporting import EXPORTING

        return EXPORTING

    # processes

    launcher = TF_CONFIG

    def join(self, launch: Any, device: str, timeout: float) -> Any:
        return processes.join(launch, timeout)

    # modes

    def set_deterministic(self, on: bool) -> None:
        tf.config.experimental.enable_op_determinism()

    def set_matmul_precision(self, precision: str) -> None:
        tf.config.experimental.enable_tensor_float_32_execution(precision == "high")

    def nondeterminism(self, error: BaseException) -> str | None:
        cause = error.__cause__  # a translated error keeps less of the text
        found = super().nondeterminism(cause if isinstance(cause, tf.errors.OpError) else error)
        return found and re.sub(r"\{\{function_node .*?\}\} ?| ?\[Op:.*", "", found)

    def places(
        self, error: BaseException, runner: Callable[..., Any], feeds: Sequence[Any]
    ) -> list[tuple[str, int]]:
        """Of an error in a traced program: where the op was traced, and for one of a gradient, the op it is for."""
        found = super().places(error, runner, feeds)
        name = re.search(r"\{\{node ([^}]+)\}\}", str(error.__cause__ or error))
        graph = getattr(runner, "graph", None)
        operations = {op.name: op for op in graph.get_operations()} if graph and name else {}
        operation = operations.get(name[1]) if name else None
        while operation is not None:
            found += [(frame.filename, frame.lineno) for frame in operation.traceback]
            operation = operation._original_op
        return found

    @modes.outside
    def compile(self, emitted: Any, target: Any, jit: Any) -> Callable[..., Any]:
        variables = emitted.variables
        usual = _Traced(emitted, target, jit, any(0 in shape for shape in emitted.shapes), jit is not True)
        # made when it is needed
        exact = functools.cache(lambda: _Traced(emitted, target, jit, True, False))
        first = [exact() if usual.once else usual]

        def run(feeds: Sequence[Any]) -> Sequence[Any]:
            if not modes.ordinary():
                with context.eager_mode():
                    return run(feeds)
            traced = first[0]
            if traced.draws:
                GENERATORS.refresh()
            for variable in not_at(variables, target):
                variable.cell(target)
            try:
                return translating(traced.call, *feeds)
            except ValueError as error:
                unlimited = finite.met(error)
                if not unlimited and not empties.met(error):
                    raise
            if unlimited:
                first[0] = exact()
            run.graph = exact().graph  # type: ignore[attr-defined]
            return translating(exact().call, *feeds)

        run.graph = first[0].graph  # type: ignore[attr-defined]
        return run


class _Traced:
    """A program traced with ``tf.function``.

    Args:
        emitted, target, jit: what ``compile`` gets.
        empty: whether batches of unknown size may have no samples; see :mod:`kbackend_tensorflow.presumed.empties`.
        presume: whether values are presumed to be finite; see :mod:`kbackend_tensorflow.presumed.finite`.

    Attributes:
        call: the program as a function of its feeds.
        graph: what TensorFlow traced.
        once: whether it may not run again after a check of it has failed.
        draws: whether it draws from the engine's own generators.
    """

    def __init__(self, emitted: Any, target: Any, jit: Any, empty: bool, presume: bool) -> None:
        cells = [v.cell(target) for v in emitted.variables]
        position = {id(v): i for i, v in enumerate(emitted.variables)}
        updated = [cells[position[id(v)]] for v in emitted.updated]
        counters = [cells[position[id(v)]] for v in emitted.counters]
        in_place = [cells[position[id(v)]] for v in emitted.in_place]

        def program(*feeds: Any) -> Any:
            with tf.device(_tf_device(target.device)):
                outputs, new = emitted.function(*feeds, cells)
                found = [t for t in (*outputs, *new) if tf.is_tensor(t)]
                _write_after(found, in_place)
                with tf.control_dependencies([*found, *_checks()]):
                    for cell, value in zip(updated, new):
                        cell.assign(value, read_value=False)
                    for counter in counters:
                        counter.assign_add(tf.ones_like(counter), read_value=False)
                keep_stacks(tf.compat.v1.get_default_graph())
                return list(outputs)

        # A size known to be 0 is not told: TensorFlow's optimizer divides by it (the gradient of (0, 1) times (3,)).
        signature = [
            tf.TensorSpec([d or None for d in shape], t.dtype)
            for t, shape in zip(emitted.graph.inputs, emitted.shapes)
        ]
        with (
            empties.expected(empty),
            finite.presumed(presume),
            abilities.compiled_by_xla(jit is True),
            released_with(self),
        ):
            traced = tf.function(
                program, input_signature=signature, jit_compile=True if jit is True else None, autograph=False
            ).get_concrete_function()
        sizes.forget(traced.graph)
        self.once = cannot_be_repeated(traced.graph, cells)
        self.call = without_binding(traced)
        self.graph = traced.graph
        self.draws = GENERATORS.hold(traced.graph.variables)


#: operations that check values, or may hold such
_CHECKS = frozenset(("Assert", "Case", "If", "While"))


def _checks() -> list[Any]:
    """The operations of the graph being traced that may fail a check."""
    return [op for op in tf.compat.v1.get_default_graph().get_operations() if op.type in _CHECKS]


def _write_after(tensors: Sequence[Any], cells: Sequence[Any]) -> None:
    """Let the ops that change some cells in place wait for tensors and for the checks before them, so that a program
    that fails changes nothing."""
    graph = tf.compat.v1.get_default_graph()
    handles = {graph.capture(cell.handle).name for cell in cells}
    before = [t.op for t in tensors]
    for operation in graph.get_operations() if handles else ():
        if operation.type in _CHECKS:
            before.append(operation)
        elif operation.type.startswith(("ResourceApply", "Assign")) and operation.inputs[0].name in handles:
            operation._add_control_inputs(before)


def without_binding(traced: Any) -> Callable[..., Any]:
    """A traced function of tensors, called without binding arguments to names: that took 60 microseconds a call.

    The function itself where TensorFlow lacks the parts, inside another graph, and under a tape.
    """
    call = getattr(getattr(traced, "inference_fn", None), "call_flat", None)
    if call is None:
        return traced
    captured = tuple(traced.captured_inputs)

    def run(*feeds: Any) -> Any:
        if not tf.executing_eagerly() or record.could_possibly_record():
            return traced(*feeds)
        return call(*feeds, *captured) or ()  # None where a program has updates alone

    return run


#: without and with the device, whose name takes as long as the rest
_KEYS = (
    lambda tensor: (tensor._datatype_enum(), tensor._shape_tuple()),
    lambda tensor: (tensor._datatype_enum(), tensor._shape_tuple(), tensor.device),
)


def _tf_device(device: str) -> str:
    kind, _, index = device.partition(":")
    return f"{'GPU' if kind == 'cuda' else kind.upper()}:{index or 0}"
