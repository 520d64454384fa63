"""Configurations of Keras 2 for models, which tf-keras reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kbackend.graph.tensor import Tensor
from kbackend.layers import MultiHeadAttention
from kbackend.saving.keras.table import NOT_OF_KERAS_2, written_name
from kbackend.saving.keras.writing import Form, Operands
from kbackend.saving.structure import is_model

_CONSTANT, _AXES = "_CONSTANT_VALUE", ("input_axes", "output_axes")


class Keras2Form(Form):
    """How tf-keras writes models, layers and calls."""

    keras, version = 2, "2.15.0"
    operations: ClassVar[Mapping[str, str]] = {
        "add": "math.add", "subtract": "math.subtract", "multiply": "math.multiply", "divide": "math.divide",
        "maximum": "math.maximum", "minimum": "math.minimum", "abs": "math.abs", "exp": "math.exp", "log": "math.log",
        "sqrt": "math.sqrt", "square": "math.square", "negative": "math.negative", "sin": "math.sin", "cos": "math.cos",
    }  # fmt: skip
    functional: ClassVar[Mapping[str, Any]] = {"module": "keras", "class_name": "Model", "registered_name": None}

    def input_config(self, layer: Any) -> dict[str, Any]:
        found = super().input_config(layer)
        return {"batch_input_shape": found.pop("batch_shape"), **found}

    def arguments(self, layer: Any, config: dict[str, Any]) -> dict[str, Any]:
        kind = written_name(layer)
        if kind == "SpectralNormalization":
            raise ValueError(f"the layer {layer.name} is a {kind}, which tf-keras reads from no file, not from its own")
        if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
            raise ValueError(f"the layer {layer.name} is quantized or has an adapter (LoRA), which Keras 2 has not")
        for key, values in NOT_OF_KERAS_2.get(kind, {}).items():
            if values is not None and config.get(key) not in values:
                raise ValueError(f"the layer {layer.name}: {kind} of Keras 2 has no {key}, which is {config[key]!r}")
            config.pop(key, None)
        if kind == "LeakyReLU":
            config["alpha"] = config.pop("negative_slope")
        if kind == "MultiHeadAttention":
            config |= _shapes(layer)
        return {key: _without_axes(key, value, layer.name) for key, value in config.items()}

    def first_call(self, layer: Any) -> int:
        """Models that begin with inputs have a call that made them, which is number 0."""
        return int(is_model(layer) and layer.built)

    def tensor(self, tensor: Tensor, place: list[Any]) -> Any:
        return place

    def call(self, layer: Any, inputs: list[Any], kwargs: dict[str, Any], several: bool) -> Any:
        if isinstance(layer, MultiHeadAttention):
            inputs, others = inputs[:1], inputs[1:]
            kwargs = {**dict(zip(("value", "key"), others)), **kwargs}
        return [[*place, kwargs] for place in inputs]

    def operation(self, name: str, kind: str, operands: Operands) -> dict[str, Any]:
        first, *others = operands
        place = first if isinstance(first, list) else [_CONSTANT, -1, first]
        kwargs = {**dict(zip("y", others)), "name": None}
        return {"class_name": "TFOpLambda", "name": name, "inbound_nodes": [[*place, kwargs]],
                "config": {"name": name, "trainable": True, "dtype": "float32", "function": kind}}


def _without_axes(key: str, value: Any, name: str) -> Any:
    """An argument; an initializer without the axes that say what its fans are, which Keras 2's count from the end."""
    if not key.endswith("_initializer") or not isinstance(value, dict):
        return value
    axes = {k: v for k, v in value["config"].items() if k in _AXES}
    if any(v is not None for v in axes.values()):
        raise ValueError(f"the layer {name}: the {key} has {axes}, which initializers of Keras 2 have not")
    return {**value, "config": {k: v for k, v in value["config"].items() if k not in _AXES}}


def _shapes(layer: Any) -> dict[str, list[int | None]]:
    """The shapes of what attention is called on, from which tf-keras builds it."""
    query, value, *key = (list(shape) for shape in layer.get_input_shape_at(0))
    return {"query_shape": query, "value_shape": value, "key_shape": key[0] if key else value}
