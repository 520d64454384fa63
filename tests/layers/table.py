"""The table of layer configurations, and what is computed from a row of it.

A row is a layer, its constructor arguments and the shapes of its inputs without the batch dimension::

    Row("Conv2D", dict(filters=3, kernel_size=2), (4, 5, 2))
    Row("Add", {}, (3,), (3,))
    Row("GlobalAveragePooling1D", {}, (4, 3), masked=True)

and what a layer refuses, with words of the message, when it is made or called::

    Bad("Dense", dict(units=0), (4,), "units must be a positive integer, it is 0")

To add rows, append them to ``ROWS`` (and ``BAD``) of ``configurations/FAMILY.py``; test_table.py finds every file of
that folder and runs all its checks on each row. At least 3 rows a layer, of the smallest sizes that tell the arguments
apart (no two dimensions alike). An argument ``data_format`` of the layer is varied by the checks: rows give shapes
with the channels last.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kbackend
from kbackend import K, dtypes, layers

BATCH = 2


@dataclass(frozen=True, eq=False)
class Row:
    """A configuration of a layer.

    Attributes:
        layer: the name of the class.
        arguments: of the constructor; where they hold layers, a function of the module of layers (Keras's or this
            one's) that returns them.
        shapes: of the inputs, without the batch dimension; None in a dimension for the size ``free``.
        masked: whether the input (each of several) has a mask of its first dimension after the batch.
        phase: 1 to compute in the training phase.
        values: 'normal', or the exclusive upper bound of integer inputs.
        called: keyword arguments of the call.
        keras: whether Keras 3 computes the same from the same weights; a text says why not.
        keras_gradient: whether Keras's gradients are the same too; a text says why not.
        keras_dtype: 'float64', or 'float32' where TensorFlow's kernels know no other.
        spatial: how many of the dimensions data_format is about; all but batch and channels when None.
        gradient: whether the results have derivatives by the inputs or weights.
        mixed: whether 16 bits come close to the definition; a text says why not.
        bound: of the relative error in float32, with ``reason`` for another than that of a model.
    """

    layer: str
    arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    shapes: tuple[tuple[int | None, ...], ...]
    masked: bool
    phase: int
    values: str | int
    called: Mapping[str, Any]
    keras: bool | str
    keras_gradient: bool | str
    keras_dtype: str
    spatial: int | None
    gradient: bool
    mixed: bool | str
    bound: float
    reason: str

    free = 4

    def __init__(
        self, layer: str, arguments: Any, *shapes: tuple[int | None, ...], masked: bool = False, phase: int = 0,
        values: str | int = "normal", called: Mapping[str, Any] | None = None, keras: bool | str = True,
        keras_gradient: bool | str = True, keras_dtype: str = "float64", spatial: int | None = None,
        gradient: bool = True, mixed: bool | str = True, bound: float = 1e-5, reason: str = "",
    ) -> None:
        assert bound == 1e-5 or reason, f"{layer}: another bound needs a reason"
        given = dict(layer=layer, arguments=arguments, shapes=shapes, masked=masked, phase=phase, values=values,
                     called=dict(called or {}), keras=keras, keras_gradient=keras_gradient,
                     keras_dtype=keras_dtype, spatial=spatial, gradient=gradient, mixed=mixed, bound=bound,
                     reason=reason)
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        given = "layers" if callable(self.arguments) else ",".join(f"{k}={v}" for k, v in self.arguments.items())
        options = "".join(f" {word}" for word, on in (("masked", self.masked), ("training", self.phase)) if on)
        return f"{self.layer}({given}){'x'.join(str(list(s)) for s in self.shapes)}{options}".replace(" ", "")

    def given(self, module: Any = layers) -> dict[str, Any]:
        return dict(self.arguments(module) if callable(self.arguments) else self.arguments)

    @property
    def takes_data_format(self) -> bool:
        return "data_format" in getattr(layers, self.layer).arguments and "data_format" not in self.given()

    def inputs(self) -> list[np.ndarray]:
        """The values of the inputs in float64, or int32."""
        draws = np.random.RandomState(7)
        shapes = [(BATCH, *(self.free if d is None else d for d in shape)) for shape in self.shapes]
        if self.values == "normal":
            return [draws.randn(*shape) for shape in shapes]
        return [draws.randint(0, self.values, shape).astype("int32") for shape in shapes]

    def masks(self) -> list[np.ndarray]:
        """Masks of the inputs: every sample has steps of both kinds, the first one is counted."""
        found = []
        for shape in self.shapes if self.masked else ():
            steps = self.free if shape[0] is None else shape[0]
            found.append(np.arange(steps)[None] < np.array([[steps - 1], [max(steps - 2, 1)]]))
        return found

    @property
    def dtype(self) -> str | None:
        """The dtype of the inputs; None for floatx."""
        return None if self.values == "normal" else "int32"


@dataclass(frozen=True, eq=False)
class Bad:
    """A configuration that a layer refuses with one error that names the layer and holds some words."""

    layer: str
    arguments: Mapping[str, Any]
    shape: tuple[int | None, ...] | list[tuple[int | None, ...]]
    words: str
    error: type[Exception] = ValueError

    def __str__(self) -> str:
        given = ",".join(f"{k}={v}" for k, v in self.arguments.items())
        return f"{self.layer}({given}){self.shape}".replace(" ", "")

    def run(self) -> None:
        """Make the layer and call it."""
        layer = getattr(layers, self.layer)(**self.arguments)
        several = isinstance(self.shape, list)
        inputs = [kbackend.Input(s) for s in (self.shape if several else [self.shape])]
        layer(inputs if several else inputs[0])


@dataclass
class Made:
    """A layer of a row, called on inputs.

    Attributes:
        layer: the layer, with the weights of :func:`weights_for`.
        inputs, masks: the symbolic tensors that it was called on.
        outputs: what it returned, as a list.
    """

    layer: Any
    inputs: list[Any]
    masks: list[Any]
    outputs: list[Any]


def made(row: Row, layer: Any = None, **changed: Any) -> Made:
    """The layer of a row (or another, such as one read from a configuration) called on new inputs."""
    layer = getattr(layers, row.layer)(**{**row.given(), **changed}) if layer is None else layer
    turned = changed.get("data_format") == "channels_first"
    shapes = [_turned_shape(row, s) if turned else s for s in row.shapes]
    inputs = [kbackend.Input(shape, dtype=row.dtype) for shape in shapes]
    masks = [kbackend.Input(mask.shape[1:], dtype="bool") for mask in row.masks()]
    called = dict(row.called)
    if masks:
        called["mask"] = masks if len(masks) > 1 else masks[0]
    found = layer(inputs if len(inputs) > 1 else inputs[0], **called)
    layer.set_weights(weights_for([(w.name, w.shape) for w in layer.weights]))
    return Made(layer, inputs, masks, list(found) if isinstance(found, (list, tuple)) else [found])


def weights_for(weights: list[tuple[str, tuple[int, ...]]]) -> list[np.ndarray]:
    """Values for weights, from their places; variances and deviations are positive."""
    found = []
    for place, (name, shape) in enumerate(weights):
        value = np.random.RandomState(100 + place).randn(*shape) * 0.5
        found.append(np.abs(value) + 0.5 if name.endswith(("variance", "stddev")) else value)
    return found


def channels_axis(row: Row, rank: int) -> int | None:
    """Where the channels are in 'channels_first' data of a rank, or None when it has no spatial dimensions."""
    spatial = len(row.shapes[0]) - 1 if row.spatial is None else row.spatial
    return rank - spatial - 1 if rank > spatial + 1 else None


def channels_first(row: Row, value: np.ndarray) -> np.ndarray:
    """A value with the channels before the spatial dimensions instead of last."""
    axis = channels_axis(row, value.ndim)
    return value if axis is None else np.moveaxis(value, -1, axis)


def _turned_shape(row: Row, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    axis = (channels_axis(row, len(shape) + 1) or 1) - 1
    return (*shape[:axis], shape[-1], *shape[axis:-1])


@dataclass
class Found:
    """What a layer computes.

    Attributes:
        outputs, masks: the results, and their masks where they have some.
        by_inputs, by_weights: the gradients by the float inputs and by the trainable weights.
        state: the other weights after the call, in the training phase.
    """

    outputs: list[np.ndarray]
    masks: list[np.ndarray]
    by_inputs: list[np.ndarray]
    by_weights: list[np.ndarray]
    state: list[np.ndarray]


def slopes_of(row: Row, made: Made) -> list[Any]:
    """The gradients of the loss by the float inputs and the trainable weights, None where it does not depend on one."""
    if not row.gradient:
        return []
    trained = [w for w in made.layer.weights if w.trainable]
    sources = [t for t in (*made.inputs, *trained) if dtypes.is_float(t.dtype)]
    loss = loss_of(made.outputs)
    return [None] * len(sources) if loss is None or not sources else K.gradients(loss, sources)


def loss_of(outputs: list[Any]) -> Any:
    """The sum of the sines of all float results, whose derivative differs from element to element; None without any."""
    floats = [t for t in outputs if dtypes.is_float(t.dtype)]
    sums = [K.sum(K.sin(K.cast(t, "float32") if t.dtype in ("float16", "bfloat16") else t)) for t in floats]
    if not sums:
        return None
    loss = sums[0]
    for other in sums[1:]:
        loss = loss + other
    return loss


@contextmanager
def floatx(dtype: str) -> Iterator[None]:
    before = K.floatx()
    K.set_floatx(dtype)
    try:
        yield
    finally:
        K.set_floatx(before)


def last(row: Row) -> dict[str, str]:
    return {"data_format": "channels_last"} if row.takes_data_format else {}


# configurations and Keras -----------------------------------------------------------------------------------


def reread(layer: Any) -> Any:
    """The layer written to JSON and read again."""
    return layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))


def of_keras(keras: Any, row: Row) -> tuple[Found, list[tuple[int, ...]]]:
    """What Keras's layer computes with the weights of :func:`weights_for`, and the shapes of its weights."""
    keras.config.set_dtype_policy(row.keras_dtype)
    layer = getattr(keras.layers, row.layer)(**row.given(keras.layers), **last(row))
    values = [v.astype(row.keras_dtype) if v.dtype == np.float64 else v for v in row.inputs()]
    tensors = [keras.ops.convert_to_tensor(v) for v in values]
    for tensor, mask in zip(tensors, row.masks()):
        tensor._keras_mask = keras.ops.convert_to_tensor(mask)
    phased = "training" in inspect.signature(layer.call).parameters  # of layers of images it is True by default
    called = {**row.called, **({"training": bool(row.phase)} if phased else {})}

    apart = "query" in inspect.signature(layer.call).parameters  # not as a list

    def call() -> list[Any]:
        found = layer(*tensors, **called) if apart else layer(tensors if len(tensors) > 1 else tensors[0], **called)
        return keras.tree.flatten(found)

    call()
    weights = [w for w in layer.weights if "seed_generator" not in w.path]
    for weight, value in zip(weights, weights_for([(w.name, tuple(w.shape)) for w in weights])):
        weight.assign(value)
    outputs, by_inputs, by_weights = _keras_gradients(row, call, tensors, [w for w in weights if w.trainable])
    masks = [np.asarray(t._keras_mask) for t in outputs if getattr(t, "_keras_mask", None) is not None]
    # the others are of pairs, left on the scores of attention
    masks = [m for m in masks if m.shape == tuple(outputs[0].shape[: m.ndim])]
    state = [np.asarray(w.value) for w in weights if not w.trainable and row.phase]
    found = Found([np.asarray(t) for t in outputs], masks, by_inputs, by_weights, state)
    return found, [tuple(w.shape) for w in weights]


def _keras_gradients(row: Row, call: Any, tensors: list[Any], trained: list[Any]) -> tuple[list[Any], ...]:
    """Results, and the gradients of the loss of :func:`computed`."""
    import tensorflow as tf

    wanted = row.gradient and row.keras_gradient is True
    floats = [t for t in tensors if t.dtype.is_floating] if wanted else []
    trained = [w.value for w in trained] if wanted else []
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = call()
        loss = sum(tf.reduce_sum(tf.sin(t)) for t in outputs if t.dtype.is_floating)
    found = tape.gradient(loss, [*floats, *trained]) if floats or trained else []
    slopes = [np.zeros(()) if slope is None else np.asarray(tf.convert_to_tensor(slope)) for slope in found]
    return outputs, slopes[: len(floats)], slopes[len(floats) :]


# the rows ---------------------------------------------------------------------------------------------------


def families() -> list[str]:
    folder = Path(__file__).parent / "configurations"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def all_rows() -> list[Row]:
    """The rows of all families."""
    return [row for family in _modules() for row in family.ROWS]


def all_bad() -> list[Bad]:
    """What is refused, of all families."""
    return [bad for family in _modules() for bad in getattr(family, "BAD", ())]


def _modules() -> list[Any]:
    return [importlib.import_module(f"layers.configurations.{name}") for name in families()]
