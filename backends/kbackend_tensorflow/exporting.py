"""How TensorFlow's programs are written as files of their own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.custom_gradient import Bind

from kbackend.ground.files import write_atomically
from kbackend.plugin.exporting import LOAD, Exporting, Leaving, NotExportable, Spelling
from kbackend_tensorflow import abilities
from kbackend_tensorflow.grappler import stacks_kept
from kbackend_tensorflow.presumed import empties, finite


def _by_rows(function: Callable[[Any], Any], x: Any) -> Any:
    return function(x)


_REPLACED = {empties.by_rows: _by_rows, finite.repaired: finite.branched}


def _replaced(value: Any) -> Any:
    try:
        return _REPLACED.get(value, value)
    except TypeError:  # it has no hash
        return value


def _special(value: Any) -> str | None:
    if isinstance(value, tf.DType):
        return f"tf.{value.name}"
    return None


def _decorated(value: Any) -> Any:
    """The forward pass of a function with a gradient of its own."""
    return ("tf.custom_gradient", value._f) if isinstance(value, Bind) else None


_LOADER = """
class Model(tf.Module):
    \"\"\"The model; its variables can be trained.\"\"\"

    def __init__(self, arrays):
        super().__init__()
        self.weights = {
            name: tf.Variable(arrays[name], trainable=trainable, name=name)
            for name, trainable in WEIGHTS.items()
        }

    @tf.function(input_signature=list(INPUTS.values()), autograph=False)
    def __call__(self, *inputs):
        \"\"\"The outputs for tensors of the shapes and dtypes of INPUTS.\"\"\"
        with ${stacks_kept}():
            outputs, new = ${program}(*inputs, list(self.weights.values()))
        for name, value in zip(UPDATED, new):
            self.weights[name].assign(value)
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def predict(self, inputs):
        \"\"\"The outputs for a batch, an array or tensor for each input.\"\"\"
        if isinstance(inputs, dict):
            inputs = [inputs[name] for name in INPUTS]
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        feeds = [tf.cast(x, spec.dtype) for x, spec in zip(given, INPUTS.values(), strict=True)]
        return tf.nest.map_structure(lambda t: t.numpy(), self(*feeds))
"""

SPELLING = Spelling(
    modules={
        "tf": "tensorflow",
        "tf.math": "tensorflow.math",
        "tf.nn": "tensorflow.nn",
        "tf.linalg": "tensorflow.linalg",
        "tf.signal": "tensorflow.signal",
        "tf.image": "tensorflow.image",
        "tf.bitwise": "tensorflow.bitwise",
        "tf.strings": "tensorflow.strings",
        "tf.debugging": "tensorflow.debugging",
        "tf.raw_ops": "tensorflow.raw_ops",
        "np": "numpy",
    },
    # the file runs on machines other than this one: what TensorFlow cannot do everywhere is composed
    known_calls={
        abilities.convolves: False,
        abilities.strides_past_windows: False,
        abilities.pools_nan: False,
        abilities.softmax_spreads_nan: False,
        abilities.convolves_no_samples: True,
    },
    replaced=_replaced,
    special=_special,
    decorated=_decorated,
    loader=_LOADER + LOAD,
    always=("tf",),
    input=lambda shape, dtype: f"tf.TensorSpec({tuple(n or None for n in shape)}, tf.{dtype})",
    extras={"stacks_kept": stacks_kept},
)


# formats ----------------------------------------------------------------------------------------------------


def write_saved_model(leaving: Leaving, path: str) -> None:
    """A folder for ``tf.saved_model.load``, whose signature has the names of the inputs."""
    tf.saved_model.save(leaving.model, path, signatures=_signature(leaving))


def _signature(leaving: Leaving) -> Any:
    """The prediction as a function of named inputs, with outputs output_1, output_2."""
    specs = [
        tf.TensorSpec([n or None for n in shape], dtype, name=name) for name, (shape, dtype) in leaving.inputs.items()
    ]

    @tf.function(input_signature=specs, autograph=False)
    def predict(*inputs: Any) -> dict[str, Any]:
        found = leaving.model(*inputs)
        return {f"output_{i}": t for i, t in enumerate(found if isinstance(found, list) else [found], 1)}

    return predict.get_concrete_function()


def write_tflite(leaving: Leaving, path: str) -> None:
    """A file for ``tf.lite.Interpreter``, of TensorFlow Lite's own operations: its interpreters have no others.

    Raises:
        NotExportable: the model keeps states, or it needs an operation that TensorFlow Lite lacks.
    """
    if leaving.updated:
        raise NotExportable(f"{leaving.name} keeps states from batch to batch, which TensorFlow Lite files here cannot")
    function = _signature(leaving)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], leaving.model)
    try:
        content = converter.convert()
    except Exception as error:  # of classes that TensorFlow does not name
        reason, kinds = _refusal(str(error))
        raise NotExportable(
            f"TensorFlow Lite cannot hold {leaving.name}: {reason}", _trace(function.graph, kinds)
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of another package that is to have the interpreter
            tf.lite.Interpreter(model_content=content).allocate_tensors()
    except (RuntimeError, ValueError) as error:
        kinds = ["".join(map(str.title, name.split("_"))) for name in re.findall(r"\((\w+)\) failed to", str(error))]
        reason = str(error).strip().partition("Node number")[0].rpartition(".cc ")[2]
        raise NotExportable(
            f"TensorFlow Lite cannot run {leaving.name}: {reason}", _trace(function.graph, kinds)
        ) from error
    write_atomically(path, content)


def _refusal(message: str) -> tuple[str, list[str]]:
    """Why a converter refuses a program, and the kinds of the operations that it names."""
    absent = sorted(set(re.findall(r"'tf\.(\w+)' op is neither", message)))
    if absent:
        return f"it lacks {', '.join(absent)}", absent
    named = re.search(r"'tf\.(\w+)' op (.+)", message)
    if named and named[1].startswith("TensorList"):
        return "it has no loop whose number of steps or results is not known", [named[1]]
    return (f"{named[1]} {named[2]}", [named[1]]) if named else (message.strip().partition("\n")[0], [])


def _trace(graph: Any, kinds: Sequence[str]) -> str:
    """Where the operation of some kinds comes from whose input has the most dimensions."""
    found = [op for op in _operations(graph) if op.type in kinds]
    if not found:
        return ""
    widest = max(found, key=lambda op: max((t.shape.rank or 0 for t in op.inputs), default=0))
    return "\n".join(f'File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in widest.traceback)


def _operations(graph: Any) -> Iterator[Any]:
    """The operations of a graph and of the functions that it calls."""
    yield from graph.get_operations()
    for function in graph._functions.values():
        yield from _operations(function.graph)


EXPORTING = Exporting(SPELLING, {"tf_saved_model": write_saved_model, "tflite": write_tflite})
