"""The backend object of the PyTorch engine."""

from __future__ import annotations

import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from kbackend.graph.node import Role
from kbackend.graph.tensor import TensorSpec
from kbackend.graph.transactions import alone
from kbackend.ground.interrupts import hold_interrupts
from kbackend.plugin.contract import Backend, causes
from kbackend.plugin.processes.launch import TORCHRUN
from kbackend.plugin.runner import eager_runner
from kbackend_torch import modes, processes
from kbackend_torch.dtypes import NAME
from kbackend_torch.errors import translated
from kbackend_torch.gaps import GAPS
from kbackend_torch.kernels import KERNELS
from kbackend_torch.kernels.collective import pieces, replicate
from kbackend_torch.kernels.nn import dropout
from kbackend_torch.kernels.nn import optimizer_steps as optimizing
from kbackend_torch.kernels.random import draws as random
from kbackend_torch.kernels.rnn import masked, recurrent
from kbackend_torch.native import NATIVE_KERNELS
from kbackend_torch.pending import PENDING, completed
from kbackend_torch.tape import TorchTape

_inference, _autocast, _functions = modes.MODES
#: what compiles and runs nothing
_COMPILING = os.path.join("torch", "_dynamo", "convert_frame.py")


class TorchBackend(Backend):
    """Tensors are ``torch.Tensor``; programs run as plain Python, or through ``torch.compile`` with jit=True."""

    name = "torch"
    kernels = KERNELS
    gaps = GAPS
    native_kernels = NATIVE_KERNELS
    tape = TorchTape()
    compiler = "torch.compile"
    tensor_type = torch.Tensor
    number = staticmethod(torch.Tensor.item)
    tensor_key = staticmethod(attrgetter("dtype", "shape", "device"))
    uses_malloc = True
    threads_scope = "thread"
    threads = staticmethod(torch.get_num_threads)
    set_threads = staticmethod(torch.set_num_threads)

    def version(self) -> str:
        return torch.__version__

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def spec(self, tensor: Any) -> TensorSpec:
        return TensorSpec(tuple(tensor.shape), NAME[tensor.dtype])

    def dtype_of(self, tensor: Any) -> str:
        return NAME[tensor.dtype]

    @modes.outside
    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        """In torch's own memory: kernels are slower on NumPy's, which is aligned to 16 bytes only."""
        tensor = _shared(np.require(array, requirements=("C", "W")))
        return tensor.to(device) if device != "cpu" else tensor.clone()

    def feed(self, array: np.ndarray, device: str) -> Any:
        if device == "cpu" and array.flags.carray and array.dtype.kind != "V":
            if not (_inference() or _autocast() or _functions()):
                try:
                    return torch.from_numpy(array)
                except ValueError:  # a stride below 0, which the axes of a contiguous array may have whose size is 1
                    pass
        return self._fed(array, device)

    @modes.outside
    def _fed(self, array: np.ndarray, device: str) -> Any:
        if not array.flags.writeable or min(array.strides, default=0) < 0:
            array = np.array(array, order="C")
        return _shared(array) if device == "cpu" else _shared(array).to(device)

    def to_numpy(self, tensor: Any) -> np.ndarray:
        tensor = tensor.detach().cpu()
        if tensor.dtype == torch.bfloat16:
            import ml_dtypes

            return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return tensor.numpy(force=True)  # gradients may be torch's lazy zeros

    def cell_to_numpy(self, cell: Any) -> np.ndarray:
        return np.asarray(cell, np.int64) if isinstance(cell, int) else np.array(self.to_numpy(cell), order="C")

    def make_cell(self, value: np.ndarray, variable: Any, device: str) -> Any:
        return super().make_cell(value, variable, "cpu" if variable.host else device)

    @modes.outside
    def cell_assign(self, cell: Any, value: np.ndarray, device: str) -> Any:
        if isinstance(cell, int):
            return int(value)
        new = self.from_numpy(value, str(cell.device))
        return new if cell.is_contiguous() else torch.empty_like(cell).copy_(new)

    @modes.outside
    def cell_write(self, cell: Any, value: Any) -> None:
        cell.fill_(value) if isinstance(value, int) else cell.copy_(value)

    @modes.outside
    def arrange(self, variable: Any, target: Any, order: tuple[int, ...]) -> None:
        """The shape stays: the cell becomes a view of memory in the other order, and keeps it when assigned to.
        Memory of a module stays as it is."""
        def arranged() -> None:
            cell = variable.cell(target)
            if variable.shared is target:
                return
            found = cell.permute(order).contiguous().permute(inverse(order))
            if found.data_ptr() != cell.data_ptr():
                variable.set_cell(target, found)

        alone(variable, arranged)

    @modes.outside
    def copy(self, tensor: Any) -> Any:
        return tensor.clone()

    @modes.outside
    def place(self, tensor: Any, device: str) -> Any:
        return modes.ordinary(tensor) if str(tensor.device) == device else tensor.to(device)

    def devices(self) -> list[str]:
        return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]

    def default_device(self) -> str:
        """The first accelerator; of the processes that torchrun starts on a machine, each has one of its own."""
        accelerators = self.devices()[1:]
        place = int(os.environ.get("LOCAL_RANK", 0))
        return accelerators[place % len(accelerators)] if accelerators else "cpu"

    def hardware(self, device: str) -> str:
        return torch.cuda.get_device_name(device) if device.startswith("cuda") else ""

    def synchronize(self, device: str) -> None:
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    def guarded(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        if modes.active():
            with modes.switched_off():
                return self.guarded(function, *map(modes.ordinary, args), **kwargs)
        try:
            return function(*args, **kwargs)
        except RuntimeError as error:
            found = translated(error)
            if found is None:
                raise
            raise found from error

    # modules

    def is_module(self, value: Any) -> bool:
        return isinstance(value, torch.nn.Module)

    def wrap_module(self, module: Any, label: str) -> Any:
        from kbackend_torch.wrapped import TorchWrapped

        if not self.is_module(module):
            raise TypeError(f"{label} needs a torch.nn.Module, it was given {module!r}")
        return TorchWrapped(module, label)

    def make_module(self, parts: Any) -> Any:
        from kbackend_torch.model_module import ModelModule

        return ModelModule(parts)

    # processes

    launcher = TORCHRUN
    divides = True

    def join(self, launch: Any, device: str, timeout: float) -> Any:
        return processes.join(launch, device, timeout)

    # modes

    def set_deterministic(self, on: bool) -> None:
        if on:
            self._cudnn_benchmark = torch.backends.cudnn.benchmark
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = not on and self._cudnn_benchmark
        torch.use_deterministic_algorithms(on)

    def set_matmul_precision(self, precision: str) -> None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "high"

    def nondeterminism(self, error: BaseException) -> str | None:
        found = super().nondeterminism(error)
        return found and found.partition(" You can turn off determinism")[0]

    def compiler_failed(self, error: BaseException) -> str | None:
        errors = sys.modules.get("torch._dynamo.exc")  # there as soon as anything is compiled
        for e in causes(error) if errors else ():
            told = str(e).strip().partition("\n")[0]
            if isinstance(e, errors.TorchDynamoException):
                return told
            if any(f.filename.endswith(_COMPILING) for f in traceback.extract_tb(e.__traceback__)):
                return f"{type(e).__name__}: {told}"
        return None

    def places(
        self, error: BaseException, runner: Callable[..., Any], feeds: Sequence[Any]
    ) -> list[tuple[str, int]]:
        """Of an error in a backward kernel: the call forward too, which torch tells in a run in anomaly mode."""
        found = super().places(error, runner, feeds)
        if runner is None or not any("torch/autograd" in file.replace(os.sep, "/") for file, _ in found):
            return found
        with warnings.catch_warnings(record=True) as told, torch.autograd.set_detect_anomaly(True, False):
            warnings.simplefilter("always")
            try:
                runner(feeds)
            except RuntimeError:
                pass
        forward = [m for w in told for m in re.findall(r'File "([^"]*)", line (\d+)', str(w.message))]
        return found + [(file, int(line)) for file, line in forward]

    def exporting(self) -> Any:
        from kbackend_torch.exporting import EXPORTING

        return EXPORTING

    def compile(self, emitted: Any, target: Any, jit: Any) -> Callable[..., Any]:
        ops = {node.op.name for node in emitted.nodes.values()}
        transfers = bool(ops & _WITH_TRANSFERS)
        if transfers:
            own = [name for name, value in emitted.namespace.items() if value == self.tape.gradients]
            emitted.namespace.update(dict.fromkeys(own, completed(self.tape.gradients)))
        if jit is True:
            for module in (dropout, masked, optimizing, random, recurrent, replicate):
                module.leave_uncompiled()
            emitted.function = _compiled(emitted)
        run = eager_runner(emitted, target)
        if "gather_pieces" in ops:
            run = pieces.gathering(run)
        records, record = torch.is_grad_enabled, torch._C._set_grad_enabled

        def without_recording(feeds: Sequence[Any]) -> Sequence[Any]:
            if _inference() or _autocast() or _functions():
                with modes.switched_off():
                    return without_recording([modes.ordinary(feed) for feed in feeds])
            recording = records()
            record(False)
            try:
                return run(feeds)
            except RuntimeError as error:
                found = translated(error)
                if found is None:
                    raise
                raise found.with_traceback(error.__traceback__) from error
            finally:
                record(recording)
                if transfers and PENDING:  # the program failed
                    PENDING.clear()

        return without_recording


#: ops whose gradients are sums over processes
_WITH_TRANSFERS = {"gather_pieces", "replicated"}
#: ops that torch.compile calls as they are, which breaks the graph
_APART = {*dropout.KERNELS, *masked.KERNELS, *random.KERNELS, *recurrent.KERNELS, *replicate.KERNELS}


def _compiled(emitted: Any) -> Callable[..., Any]:
    """The program through torch.compile, with its gradients where all ops allow that.

    Gradients are left out by default, and then each tensor that is watched breaks the graph: compiling a transformer's
    step took 73 s instead of 12, and the step 37 ms instead of 18.
    """
    holds = [name for name, value in emitted.namespace.items() if value is hold_interrupts]
    emitted.namespace.update(dict.fromkeys(holds, _nothing))  # the call would break the graph
    function = torch.compile(emitted.function, dynamic=None)
    settings = torch._dynamo.config
    ops = {node.op for node in emitted.nodes.values()}
    differentiates = any(op.role is Role.GRADIENTS for op in ops)
    if differentiates and not _APART & {op.name for op in ops} and hasattr(settings, "trace_autograd_ops"):
        function = _with_gradients(function)
    return _held(function) if holds else function


def _with_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*operands: Any) -> Any:
        with torch._dynamo.config.patch(trace_autograd_ops=True):
            return function(*operands)

    return run


def _nothing() -> None:
    pass


def _held(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with interrupts held from the second call on: the first compiles, which takes long."""
    called = False

    def run(*operands: Any) -> Any:
        nonlocal called
        if called:
            hold_interrupts()
        found = function(*operands)
        called = True
        return found

    return run


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes one."""
    return tuple(order.index(axis) for axis in range(len(order)))


def _shared(array: np.ndarray) -> torch.Tensor:
    """A tensor over the array's memory."""
    if array.dtype.kind == "V":  # bfloat16; asking for the name takes ten times as long
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
