"""Weights alone, in a safetensors file: arrays by name, and which layer each belongs to."""

from __future__ import annotations

import json
from typing import Any

from kbackend.ground.files import check_overwrite, path_of, write_atomically
from kbackend.saving import archive, keras, tensors
from kbackend.saving.documents import parsed
from kbackend.saving.errors import FormatError
from kbackend.saving.layer_weights import Held, Merged, put_weights, weights_by_layer
from kbackend.saving.structure import keys_of

_LAYERS = "kbackend layers"


#: how files of Keras hold weights
BY_LAYER, BY_STRUCTURE = "layer", "structure"


def form_of(name: str) -> str | None:
    """How the weights are written into a file of that name, None for safetensors."""
    if name.endswith(".weights.h5"):
        return BY_STRUCTURE
    return BY_LAYER if name.endswith((".h5", ".hdf5")) else None


def save_weights(model: Any, path: Any, overwrite: bool = True) -> None:
    """Write the weights of a model to a file.

    Other arguments and errors as :meth:`kbackend.Model.save_weights`.

    Args:
        model: a Model or Sequential.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "w.safetensors")
    >>> saving.save_weights(model, path)
    >>> path.stat().st_size > 32
    True
    """
    form: str | None = BY_LAYER
    if not keras.is_open(path):
        check_overwrite(path, overwrite)
        form = form_of(path_of(path))
    if form is not None:
        keras.write_weights(model, path, form == BY_LAYER)
        return
    merged = Merged(model)
    weights = merged.kept(model.weights)
    keys = keys_of(weights)
    places = {id(v): key for v, key in zip(weights, keys)}
    layers = [[name, [places[id(v)] for v in held]] for name, held in weights_by_layer(model)]
    content = tensors.stored(dict(zip(keys, merged.values(weights))), {_LAYERS: json.dumps(layers)})
    write_atomically(path, content)


def read_weights(content: memoryview) -> list[Held]:
    """The weights in the content of a file, by layer.

    Raises:
        FormatError: no safetensors file, or one that does not say to which layers its arrays belong.
    """
    arrays, metadata = tensors.arrays_in(content, "safetensors")
    if _LAYERS not in metadata:
        raise FormatError("it does not say which layers its arrays belong to; save_weights of kbackend does", _LAYERS)
    layers = parsed(metadata[_LAYERS].encode(), _LAYERS)
    try:
        found = [Held(name, [arrays[key] for key in keys]) for name, keys in layers]
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(f"it must list names of layers and of their arrays: {error}", _LAYERS) from None
    if not all(isinstance(held.layer, str) for held in found):
        raise FormatError("the names of layers must be texts", _LAYERS)
    return found


def load_weights(
    model: Any, path: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> list[str]:
    """Set the weights of a model to those in a file.

    Other arguments and errors as :meth:`kbackend.Model.load_weights`.

    Args:
        model: a Model or Sequential.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "w.safetensors")
    >>> model.save_weights(path)
    >>> saving.load_weights(model, path)
    []
    """
    with keras.content_of(path) as (content, group):
        if archive.is_archive(content):
            if archive.has(content, archive.MANIFEST):
                raise FormatError("it is a whole model of kbackend; kbackend.models.load_model reads it")
            content = keras.weights_of(content)
        if keras.is_hdf5(content):
            return keras.load_weights(model, content, by_name, skip_mismatch, reshape, group)
        own = weights_by_layer(model)
        return put_weights(model, own, read_weights(content), by_name, skip_mismatch, reshape)
