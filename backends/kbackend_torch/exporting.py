"""How PyTorch's programs are written as files of their own."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from kbackend.ground.files import write_atomically
from kbackend.plugin.constants import FORBIDDEN
from kbackend.plugin.exporting import LOAD, Exporting, Leaving, NotExportable, Spelling, needed
from kbackend_torch import modes
from kbackend_torch.dtypes import NAME, TORCH
from kbackend_torch.kernels.arrays import arrangement
from kbackend_torch.kernels.core import creation
from kbackend_torch.kernels.nn import attention
from kbackend_torch.loops import OPEN

#: tensors with more elements are stored with the weights
_MOST_ELEMENTS = 64


def _attention(query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, causal: Any, cap: Any) -> Any:
    """The composition of attention in operations of torch, heads first."""
    logits = query * scale @ key.transpose(2, 3)
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    if bias is not None:
        logits = logits + bias
    forbidden = FORBIDDEN[NAME[logits.dtype]]
    if mask is not None:
        logits = torch.where(mask, logits, forbidden)
    if causal:
        allowed = torch.ones(logits.shape[2:], dtype=torch.bool, device=logits.device).tril()
        logits = torch.where(allowed, logits, forbidden)
    return torch.softmax(logits, -1) @ value


def _layer_normalization(x: Any, gamma: Any, beta: Any, axis: Any, epsilon: float) -> Any:
    """The composition of layer normalization in operations of torch, over any axes."""
    wide = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
    shape = [n if a in axis else 1 for a, n in enumerate(x.shape)]
    centred = x.to(wide) - x.to(wide).mean(axis, keepdim=True)
    y = centred * torch.rsqrt(centred.square().mean(axis, keepdim=True) + epsilon)
    y = y if gamma is None else y * gamma.to(wide).reshape(shape)
    return (y if beta is None else y + beta.to(wide).reshape(shape)).to(x.dtype)


def _extent(x: Any, axes: tuple[int, ...]) -> Any:
    """The number of elements along some axes, as an integer that torch.export keeps open."""
    result = 1
    for axis in axes:
        result *= x.shape[axis]
    return result


def _pattern(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape with each None replaced by the next size, an integer of any kind or a tensor of one."""
    rest = iter(sizes)
    given = (next(rest) if d is None else d for d in shape)
    return tuple(int(n) if isinstance(n, torch.Tensor) else n for n in given)


_REPLACED = {
    arrangement.pattern: _pattern,
    attention._composition: _attention,
    attention._normalized: _layer_normalization,
    creation._device: torch.get_default_device,
}


def _replaced(value: Any) -> Any:
    value = getattr(value, "_torchdynamo_orig_callable", value)  # of a kernel that torch.compile leaves out
    try:
        return _REPLACED.get(value, value)
    except TypeError:  # it has no hash
        return value


def _special(value: Any) -> str | None:
    if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
        return str(value)
    if isinstance(value, torch.Tensor) and value.numel() <= _MOST_ELEMENTS:
        text = re.sub(r"inf|nan", lambda found: f"float('{found[0]}')", str(value.tolist()))
        return f"torch.tensor({text}, dtype={value.dtype})"
    return None


def _array(value: Any) -> Any:
    return value.numpy(force=True) if isinstance(value, torch.Tensor) else None


_LOADER = """
class Model(torch.nn.Module):
    \"\"\"The model; its parameters can be trained.\"\"\"

    def __init__(self, arrays):
        super().__init__()
        for name, trainable in WEIGHTS.items():
            if trainable:
                self.register_parameter(name, torch.nn.Parameter(arrays[name]))
            else:
                self.register_buffer(name, arrays[name])

    def forward(self, *inputs):
        \"\"\"The outputs for tensors of the shapes and dtypes of INPUTS.\"\"\"
        outputs, new = ${program}(*inputs, [getattr(self, name) for name in WEIGHTS])
        with torch.no_grad():
            for name, value in zip(UPDATED, new):
                getattr(self, name).copy_(value)
        return outputs[0] if len(outputs) == 1 else outputs

    def predict(self, inputs):
        \"\"\"The outputs for a batch, an array or tensor for each input.\"\"\"
        if isinstance(inputs, dict):
            inputs = [inputs[name] for name in INPUTS]
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        with torch.no_grad():
            return self(*(torch.as_tensor(x, dtype=d) for x, d in zip(given, INPUTS.values(), strict=True)))
"""

SPELLING = Spelling(
    modules={
        "torch": "torch",
        "F": "torch.nn.functional",
        "torch.linalg": "torch.linalg",
        "torch.special": "torch.special",
        "torch.fft": "torch.fft",
        "torch.autograd": "torch.autograd",
        "torch._VF": "torch._VF",
        "np": "numpy",
    },
    known_calls={modes.active: False},
    numbers={arrangement.extent: _extent},
    takes_numbers=frozenset(
        {arrangement.reshape_to, arrangement.broadcast_to, arrangement.tile, creation.fill}
    ),
    replaced=_replaced,
    special=_special,
    array=_array,
    loader=_LOADER + LOAD,
    loads="safetensors.torch",
    always=("torch",),
    input=lambda shape, dtype: str(TORCH[dtype]),
    reserved=frozenset(dir(torch.nn.Module())),
)


# formats ----------------------------------------------------------------------------------------------------

#: the version of ONNX's operators that files are written for
OPSET = 20
#: sizes of the tensors that a program is traced with: of a batch, and of other dimensions that are not known
_BATCH, _SIZE = 3, 5


def _traced(leaving: Leaving) -> torch.export.ExportedProgram:
    """The program of torch.export, with the batch as the dimension "batch".

    Raises:
        NotExportable: torch cannot trace it.
    """
    batch = torch.export.Dim("batch", min=1)
    sample, dynamic = [], []
    for shape, dtype in leaving.inputs.values():
        sizes = [n if n is not None else _SIZE if axis else _BATCH for axis, n in enumerate(shape)]
        sample.append(torch.ones(sizes, dtype=TORCH[dtype]))
        unknown = {axis: torch.export.Dim.DYNAMIC if axis else batch for axis, n in enumerate(shape) if n is None}
        dynamic.append(unknown)
    try:
        with torch.no_grad():
            return torch.export.export(leaving.model.eval(), tuple(sample), dynamic_shapes=(tuple(dynamic),))
    except Exception as error:  # torch raises what it likes
        reason = _fixed_sizes(str(error), list(leaving.inputs)) or _first_line(error)
        raise NotExportable(f"torch.export cannot trace {leaving.name}: {reason}") from error


def _fixed_sizes(message: str, inputs: list[str]) -> str:
    """The unknown sizes that a program would fix, as torch names them in a message; nothing if there are none."""
    if "Constraints violated" not in message:
        return ""
    found = {(int(place), axis) for place, axis in re.findall(r"\['inputs'\]\[(\d+)\]\.size\(\)\[(\d+)\]", message)}
    sizes = ", ".join(f"dimension {axis} of {inputs[place]!r}" for place, axis in sorted(found))
    return f"{sizes} must be known, since a layer is unrolled over it or computes otherwise for other sizes"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def write_torch_export(leaving: Leaving, path: str) -> None:
    """A file for ``torch.export.load``."""
    content = io.BytesIO()
    torch.export.save(_traced(leaving), content)
    write_atomically(path, content.getvalue())


def write_onnx(leaving: Leaving, path: str) -> None:
    """A file of ONNX, with the names of the inputs, and output_1, output_2 for the outputs.

    Raises:
        NotExportable: the model keeps states, or an operation has no form in ONNX.
        ImportError: a package is missing.
    """
    for module in ("onnx", "onnxscript"):
        needed(module, "writing ONNX")
    if leaving.updated:
        raise NotExportable(f"{leaving.name} keeps states from batch to batch, which ONNX cannot")
    traced = _traced(leaving)
    outputs = [f"output_{i}" for i, _ in enumerate(traced.graph_signature.user_outputs, 1)]
    names = {"input_names": list(leaving.inputs), "output_names": outputs}
    try:
        with _silent(), torch.no_grad():  # loops would keep what their gradients need
            found = torch.onnx.export(traced, opset_version=OPSET, verbose=False, **names)
    except torch.onnx.errors.OnnxExporterError as error:
        raise NotExportable(f"ONNX cannot hold {leaving.name}: {_reason(error)}") from error
    assert found is not None
    content = found.model_proto
    _name_dimensions(content.graph, leaving)
    write_atomically(path, content.SerializeToString())


@contextmanager
def _silent() -> Iterator[None]:
    """Without what the exporter tells of packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _name_dimensions(graph: Any, leaving: Leaving) -> None:
    """Give the symbols of torch for unknown dimensions their names: "batch", and that of the input with the axis."""
    names: dict[str, str] = {}
    for value in graph.input:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_param:
                names.setdefault(dimension.dim_param, f"{value.name}_{axis}" if axis else "batch")
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = re.sub(r"\w+", lambda m: names.get(m[0], m[0]), dimension.dim_param)


def _reason(error: BaseException) -> str:
    """The first line of the innermost cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_line(error)


def _open(value: Any) -> Any:
    value = _replaced(value)
    try:
        return OPEN.get(value, value)
    except TypeError:  # it has no hash
        return value


def _filled(value: Any) -> str | None:
    """Numbers as tensors that are made: files of torch hold no constant inside of a loop."""
    text = _special(value)
    if text is not None and isinstance(value, torch.Tensor) and not value.ndim and value.is_floating_point():
        return text.replace("torch.tensor(", "torch.full((), ", 1)
    return text


#: of programs that torch traces: their loops keep the number of steps open
_TRACED = replace(
    SPELLING,
    modules={**SPELLING.modules, "torch._higher_order_ops": "torch._higher_order_ops"},
    replaced=_open,
    special=_filled,
)
EXPORTING = Exporting(
    SPELLING,
    {"torch_export": write_torch_export, "onnx": write_onnx},
    {"torch_export": _TRACED, "onnx": _TRACED},
)
