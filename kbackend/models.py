"""Models, and functions that make them from others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.layers.base.input import Input, InputLayer
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import as_list
from kbackend.model.configuration import ConfigurationError, model_config
from kbackend.model.functional import Model
from kbackend.model.reading import layer_from, model_from
from kbackend.model.sequential import Sequential
from kbackend.registry import check_named, custom_object_scope
from kbackend.saving import keras, load_model
from kbackend.saving.documents import parsed
from kbackend.saving.errors import FormatError, reading
from kbackend.saving.structure import put_functions, room_for_document
from kbackend.saving.yaml_text import parsed_yaml

#: by the names that configurations have for them
CLASSES = {"Model": Model, "Functional": Model, "Sequential": Sequential}


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from ``{"class_name": ..., "config": model.get_config()}``, with fresh weights.

    Args:
        config: the mapping.
        custom_objects: name -> class or function, known in addition.

    Raises:
        FormatError: a class that is neither built in nor registered nor in ``custom_objects``, or anything else that
            does not fit; the message names the place.

    >>> from kbackend import Input, Model, layers
    >>> from kbackend.models import model_from_config
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> model_from_config({"class_name": "Model", "config": model.get_config()}).output_shape
    (None, 2)
    """
    with custom_object_scope(custom_objects):
        try:
            return layer_from(config, "the model")
        except RecursionError:
            raise ConfigurationError("the model is nested too deep") from None


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from what ``model.to_json()`` gave, of kbackend or Keras 1, 2 or 3, with fresh weights.

    Args:
        json_string: the text.
        custom_objects: name -> class or function, known in addition.

    Raises:
        FormatError: no JSON; weights of more than 2**30 elements together; or as :func:`model_from_config`.

    >>> from kbackend import Sequential, layers
    >>> model = Sequential([layers.Dense(2, input_shape=(3,))])
    >>> model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    if not isinstance(json_string, str):
        raise FormatError(f"it is {type(json_string).__name__}, not a string", "model")
    return _model_of(parsed(json_string.encode(errors="surrogateescape"), "model"), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from what ``model.to_yaml()`` gave, of kbackend or Keras 1 or 2, with fresh weights. It needs PyYAML.

    Args:
        yaml_string: the text.
        custom_objects: name -> class or function, known in addition.

    Raises:
        FormatError: no YAML of plain values, or as :func:`model_from_json`.
        ImportError: PyYAML is not installed.

    >>> from kbackend import Sequential, layers
    >>> model = Sequential([layers.Dense(2, input_shape=(3,))])
    >>> model_from_yaml(model.to_yaml()).output_shape
    (None, 2)
    """
    if not isinstance(yaml_string, str):
        raise FormatError(f"it is {type(yaml_string).__name__}, not a string", "model")
    return _model_of(parsed_yaml(yaml_string, "model"), custom_objects)


def _model_of(document: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    check_named(custom_objects)
    with reading("model"), room_for_document(), custom_object_scope(custom_objects):
        if keras.is_configuration(document):
            return keras.model_from(document, custom_objects, keras_3="keras_version" not in document)
        match document:
            case {"config": dict(config)}:  # anything else is refused below
                put_functions(config, custom_objects or {})
        return model_from_config(document)


def clone_model(
    model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None
) -> Any:
    """A model of the same structure, with layers and weights of its own.

    Args:
        model: the model.
        input_tensors: build the clone on these tensors; new inputs are made when None.
        clone_function: makes the new layer for an old one.

    Raises:
        ValueError: ``model`` is not a model, or one with a ``call`` of its own and other arguments were given.
        NotImplementedError: it defines ``call`` and no ``get_config``.

    >>> from kbackend import Input, Model, layers
    >>> from kbackend.models import clone_model
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> again = clone_model(model)
    >>> again.count_params(), again.layers[1] is model.layers[1]
    (8, False)
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model needs a model, it was given {model!r}")
    clone = clone_function or _clone_layer
    if isinstance(model, Sequential) and model.is_chain:
        return _clone_sequential(model, input_tensors, clone)
    if model.has_own_call:
        return _clone_own(model, input_tensors, clone_function)
    old = {layer.name: layer for layer in model._topology.layers}
    given: dict[str, Any] = {}
    if input_tensors is not None:
        given = dict(zip(model.input_names, as_list(input_tensors)))

    def make(entry: Mapping[str, Any]) -> Layer:
        layer = old[entry["name"]]
        if isinstance(layer, InputLayer):
            tensor = given.get(layer.name)
            return (
                InputLayer(input_tensor=tensor, name=layer.name)
                if tensor is not None
                else _clone_layer(layer)
            )
        return clone(layer)

    return model_from(Model if isinstance(model, Sequential) else type(model), model_config(model), make)


def _clone_layer(layer: Layer) -> Layer:
    return clone_model(layer) if isinstance(layer, Model) else layer._twin()


def _clone_own(model: Model, input_tensors: Any, clone_function: Any) -> Any:
    """A model of the same class and configuration, built for the same inputs."""
    if input_tensors is not None or clone_function is not None:
        raise ValueError(
            f"{type(model).__name__} defines call, and makes its layers itself: clone_model takes neither "
            "input_tensors nor a clone_function for it"
        )
    made = model._twin()
    made.build_from_config(model.get_build_config())
    return made


def _clone_sequential(model: Sequential, input_tensors: Any, clone: Callable[[Layer], Layer]) -> Sequential:
    made = type(model)(name=model.name)
    if input_tensors is not None:
        made._start(as_list(input_tensors)[0])
    elif model.built:
        first = model.inputs[0]
        made._start(Input(batch_shape=first.shape, dtype=first.dtype))
    for layer in model.layers:
        made.add(clone(layer))
    return made


__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "custom_object_scope",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
]

_suggest_in(__name__)
