"""The file formats of Keras: ``.keras``, ``.h5`` and ``.weights.h5``."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kbackend.graph.variable import Variable, assign_all
from kbackend.ground.files import path_of, write_atomically
from kbackend.ground.warn import warn_caller
from kbackend.saving.archive import View, check_name, no_archive
from kbackend.saving.documents import LARGEST_DOCUMENT, parsed
from kbackend.saving.errors import FormatError, inside
from kbackend.saving.keras import compiled, old
from kbackend.saving.keras.hdf5 import Group, opened
from kbackend.saving.keras.places import is_open, made_file, put_file
from kbackend.saving.keras.reading import model_from
from kbackend.saving.keras.weights import (
    arrays_by_structure,
    by_layers,
    legacy_weights,
    write_by_layers,
    write_by_structure,
)
from kbackend.saving.keras.writing import Form
from kbackend.saving.keras.writing_2 import Keras2Form
from kbackend.saving.layer_weights import Held, Merged, put_weights
from kbackend.saving.structure import room_for

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
#: members of a .keras file, and how much larger than its compressed form a member may be
_MOST_MEMBERS, _LARGEST_RATIO = 1000, 200
#: how the versions of Keras write
_FORMS = {2: Keras2Form(), 3: Form()}
#: attributes that say what wrote an .h5
_WRITER = ("keras_version", "backend")


# ------------------------------------------------------------------------------------- .keras


def read_archive(content: memoryview, custom: Mapping[str, Any] | None, compile: bool) -> Any:
    """The model of the content of a ``.keras`` file.

    Raises:
        FormatError: what is wrong; the message names the member or layer.
    """
    members = _members(content)
    for name in (CONFIG, WEIGHTS):
        if name not in members:
            raise FormatError("it is missing in the archive", name)
    document = parsed(members[CONFIG], CONFIG)
    with inside(CONFIG), room_for(len(members[WEIGHTS])):
        model = model_from(document, custom, not _version(members).startswith("2"))
    with opened(memoryview(members[WEIGHTS]), WEIGHTS) as root:
        _assign(arrays_by_structure(root, model))
        if compile and document.get("compile_config"):
            _compile(model, document["compile_config"], custom)
            compiled.read_state(model, root)
    return model


def weights_of(content: memoryview) -> memoryview:
    """The ``.weights.h5`` in the content of a ``.keras`` file.

    Raises:
        FormatError: it is missing.
    """
    members = _members(content)
    if WEIGHTS not in members:
        raise FormatError("it is missing in the archive", WEIGHTS)
    return memoryview(members[WEIGHTS])


def _version(members: Mapping[str, bytes]) -> str:
    """The version of Keras that wrote an archive: 3, or 2 for tf-keras; a text without one is that of Keras 3."""
    if METADATA not in members:
        return ""
    document = parsed(members[METADATA], METADATA)
    return str(document.get("keras_version", "")) if isinstance(document, dict) else ""


def _members(content: memoryview) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(View(content)) as archive:
            infos = archive.infolist()
            _check_members(infos)
            return {i.filename: archive.read(i) for i in infos if i.filename in (CONFIG, METADATA, WEIGHTS)}
    except FormatError:
        raise
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError, RuntimeError, EOFError,
            IndexError, MemoryError) as error:
        raise no_archive(content, error) from None
    except Exception as error:  # zlib, bz2 and lzma have errors of their own
        if type(error).__module__ in ("zlib", "_bz2", "_lzma", "lzma"):
            raise FormatError(f"a member is damaged: {error}") from None
        raise


def _check_members(infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > _MOST_MEMBERS:
        raise FormatError(f"the archive has {len(infos)} members, more than {_MOST_MEMBERS}")
    names: set[str] = set()
    for info in infos:
        name = info.filename
        check_name(name.removesuffix("/"))
        if name in names:
            raise FormatError("it is in the archive twice", name)
        names.add(name)
        if info.file_size > max(1 << 20, _LARGEST_RATIO * info.compress_size):
            raise FormatError(f"it has {info.file_size} bytes, {info.compress_size} compressed", name)
        if name in (CONFIG, METADATA) and info.file_size > LARGEST_DOCUMENT:
            raise FormatError(f"it has {info.file_size} bytes, more than {LARGEST_DOCUMENT}", name)


def _assign(pairs: Sequence[tuple[Variable, np.ndarray]]) -> None:
    assign_all([v for v, _ in pairs], [_of_dtype(v, a) for v, a in pairs])


def _of_dtype(variable: Variable, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "c" and not variable.dtype.startswith("complex"):
        raise FormatError(f"{variable.name} is {variable.dtype}, the file has {array.dtype}")
    return array


def _compile(model: Any, document: Any, custom: Mapping[str, Any] | None) -> None:
    try:
        compiled.compile_as(model, document, custom)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        warn_caller(f"the model is not compiled as in the file, because of: {error}")


# ------------------------------------------------------------------------------------- .h5


def read_hdf5(content: memoryview, custom: Mapping[str, Any] | None, compile: bool, path: str = "") -> Any:
    """The model of the content of an ``.h5`` file of Keras 1, 2 or 3, or of the group at a path in it.

    Raises:
        FormatError: what is wrong; the message names the group or layer.
    """
    with opened(content, "h5") as file:
        root = file.group(path)
        text = root.text("model_config")
        if text is None:
            raise FormatError("it holds weights alone; build the model and call model.load_weights", "model_config")
        document = parsed(text.encode(), "model_config")
        version = root.text("keras_version") or ""
        with inside("model_config"), room_for(len(content)):
            model = model_from(document, custom, version.startswith("3"))
        group = root.group("model_weights")
        _assign(_by_names(model, by_layers(group), _origin(group, root)))
        training = root.text("training_config")
        if compile and training is not None:
            settings = parsed(training.encode(), "training_config")
            _compile(model, settings, custom)
            compiled.read_legacy_state(model, root)
    return model


def _origin(*groups: Group) -> old.Origin:
    """What wrote the weights, by the first group that says so."""
    version, backend = (next((t for g in groups if (t := g.text(name))), None) for name in _WRITER)
    return old.Origin(version or "1", backend)


def _with_weights(layers: Sequence[Any]) -> dict[str, Any]:
    return {layer.name: layer for layer in layers if layer.weights}


def _layers_of(model: Any, found: Sequence[Held], origin: old.Origin) -> dict[str, Any]:
    """The layers of a model that has weights in a file, by name: those of models inside it where Keras 1 wrote it and
    their names are there."""
    layers = _with_weights(model.layers)
    if origin.is_first and not {held.layer for held in found} <= set(layers):
        return _with_weights(old.flat(model))
    return layers


def _modern(layers: Mapping[str, Any], found: Sequence[Held], origin: old.Origin, by_name: bool) -> list[Held]:
    """What a file has, in today's layouts, for the layers of its names or of its order."""
    if not by_name and len(found) != len(layers):
        return list(found)
    own = [layers.get(held.layer) for held in found] if by_name else list(layers.values())
    return [held if layer is None else Held(held.layer, old.weights(layer, held.arrays, origin))
            for layer, held in zip(own, found)]


def _by_names(model: Any, given: Sequence[Held], origin: old.Origin) -> list[tuple[Variable, np.ndarray]]:
    """The weights of each layer, by the names of the layers."""
    known = _layers_of(model, given, origin)
    found = _modern(known, given, origin, by_name=True)
    layers = {name: legacy_weights(layer) for name, layer in known.items()}
    if {held.layer for held in found} != set(layers):
        named, wanted = sorted(held.layer for held in found)[:20], sorted(layers)[:20]
        raise FormatError(f"the file has weights of the layers {named}, the model of {wanted}", "model_weights")
    pairs = []
    for held in found:
        own = layers[held.layer]
        shapes = [[v.shape for v in own], [a.shape for a in held.arrays]]
        if shapes[0] != shapes[1]:
            raise FormatError(f"its weights have shapes {shapes[0]}, the file has {shapes[1]}", held.layer)
        pairs += list(zip(own, held.arrays))
    return pairs


# ------------------------------------------------------------------------------------- weights alone


def load_weights(
    model: Any, content: memoryview, by_name: bool, skip_mismatch: bool, reshape: bool = False, path: str = ""
) -> list[str]:
    """Set the weights of a model to those in the content of a ``.weights.h5`` file of Keras 3, or of an ``.h5`` file,
    or of the group at a path in it.

    Returns:
        The names of layers that were left as they are.

    Raises:
        FormatError: what is wrong.
        ValueError: by name from a file of Keras 3 that has no names.
    """
    with opened(content, "h5") as file:
        root = file.group(path)
        attributes = root.attributes()
        if "layer_names" in attributes or "layer_names0" in attributes:
            return _put(model, root, _origin(root), by_name, skip_mismatch, reshape)
        if "model_weights" in root:
            group = root.group("model_weights")
            return _put(model, group, _origin(group, root), by_name, skip_mismatch, reshape)
        if by_name:
            raise ValueError("a .weights.h5 of Keras 3 goes by the structure of the model, not by names of layers")
        skipped: list[str] | None = [] if skip_mismatch else None
        _assign(arrays_by_structure(root, model, skipped))
        return skipped or []


def _put(
    model: Any, group: Group, origin: old.Origin, by_name: bool, skip_mismatch: bool, reshape: bool
) -> list[str]:
    found = by_layers(group)
    layers = _layers_of(model, found, origin) if by_name else _with_weights(model.layers)
    if not by_name and origin.is_first and len(found) != len(layers):
        layers = _with_weights(old.flat(model))
    merged = Merged(model)
    own = [(name, merged.kept(legacy_weights(layer))) for name, layer in layers.items()]
    return put_weights(model, own, _modern(layers, found, origin, by_name), by_name, skip_mismatch, reshape)


# ------------------------------------------------------------------------------------- writing


def write(model: Any, place: Any, include_optimizer: bool = True, keras_version: int = 3) -> None:
    """Write a model as ``.keras`` where the name says so, else as ``.h5``.

    Args:
        model: the model.
        place: a path, a stream of bytes, or an HDF5 file that is open or a group in one.
        include_optimizer: whether a compiled model is written with its settings and state.
        keras_version: 3, or 2 for tf-keras.

    Raises:
        ValueError: the model has a part that Keras has not; the message names it.
    """
    if keras_version not in _FORMS:
        raise ValueError(f"keras_version must be 2 or 3, it is {keras_version!r}")
    form = _FORMS[keras_version]
    if not is_open(place) and path_of(place).endswith(".keras"):
        write_atomically(place, _archive(model, include_optimizer, form))
    else:
        put_file(place, lambda root: _put_model(root, model, include_optimizer, form))


def write_weights(model: Any, place: Any, by_layer: bool) -> None:
    """Write the weights of a model, as ``.weights.h5`` of Keras 3, or by the names of its layers as Keras 2 does.

    Args:
        model: the model.
        place: as in :func:`write`.
        by_layer: whether by the names of the layers.
    """

    def fill(root: Any) -> None:
        if not by_layer:
            return write_by_structure(root, model)
        root.attrs["keras_version"], root.attrs["backend"] = _FORMS[2].version, "tensorflow"
        return write_by_layers(root, model, Merged(model))

    put_file(place, fill)


def _archive(model: Any, include_optimizer: bool, form: Form) -> bytes:
    document = form.document(model)
    settings = compiled.document_of(model, form.keras) if include_optimizer else None
    if settings is not None:
        document["compile_config"] = settings

    def fill(root: Any) -> None:
        write_by_structure(root, model)
        if settings is not None:
            compiled.write_state(root, model, form.keras)

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(METADATA), json.dumps({"keras_version": form.version}))
        archive.writestr(zipfile.ZipInfo(CONFIG), json.dumps(document))
        archive.writestr(zipfile.ZipInfo(WEIGHTS), made_file(fill))
    return out.getvalue()


def _put_model(root: Any, model: Any, include_optimizer: bool, form: Form) -> None:
    root.attrs["keras_version"], root.attrs["backend"] = form.version, "tensorflow"
    root.attrs["model_config"] = json.dumps(form.document(model))
    settings = compiled.document_of(model, form.keras) if include_optimizer else None
    if settings is not None:
        root.attrs["training_config"] = json.dumps(compiled.legacy(settings))
        if form.keras == 2:  # Keras 3.15 cannot train a model from an .h5 with state, not from its own either
            compiled.write_legacy_state(root, model)
    group = root.create_group("model_weights")
    group.attrs["keras_version"], group.attrs["backend"] = form.version, "tensorflow"
    write_by_layers(group, model)
