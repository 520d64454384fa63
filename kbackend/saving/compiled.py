"""What a model was compiled with, and where its training stands, as a document and back."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from kbackend import losses, metrics, optimizers, registry
from kbackend.ground.warn import warn_caller
from kbackend.layers.base.inside import Inside
from kbackend.saving.documents import field
from kbackend.saving.errors import FormatError
from kbackend.saving.structure import streams_of
from kbackend.streams import given_streams, reserve

TRAINING = "training.json"
_PARTS = ("loss", "metrics", "loss_weights", "weighted_metrics")
_KINDS: dict[str, tuple[ModuleType, str]] = {
    "loss": (losses, "loss"), "metrics": (metrics, "metric"), "weighted_metrics": (metrics, "metric"),
}  # fmt: skip


def training_of(model: Any) -> dict[str, Any] | None:
    """The document of the training of a model, None where it is not compiled."""
    settings = model._steps.settings
    if settings is None:
        return None
    if not type(model).compile.__module__.startswith("kbackend."):
        warn_caller(
            f"{type(model).__name__} has a compile of its own, whose arguments a file does not hold: compile the model "
            "again when it is loaded; save_checkpoint holds the state of its optimizers"
        )
        return None
    now = [layer.trainable for layer in Inside(model).layers]
    then = {id(layer): flag for layer, flag in settings.trainable}
    return {
        "optimizer": registry.plain(settings.optimizer),
        **{part: registry.plain(getattr(settings, part)) for part in _PARTS},
        "jit": settings.jit,
        "trainable": now,
        "trainable_when_compiled": [then.get(id(layer), flag) for layer, flag in zip(Inside(model).layers, now)],
        "epochs": model.epochs_seen,
        "shuffle_seed": model.shuffle_seed,
        **({"data": model.data_layout(), "draws": model.training_draws()} if model.own_fit else {}),
    }


def compile_as(model: Any, document: Any, custom_objects: Mapping[str, Any] | None) -> None:
    """Compile a model as another one was, and let its training go on from there.

    Raises:
        FormatError: the document does not fit the model.
    """
    layers = Inside(model).layers
    flags = {key: field(document, key, list, TRAINING) for key in ("trainable", "trainable_when_compiled")}
    for key, values in flags.items():
        if len(values) != len(layers) or not all(isinstance(v, bool) for v in values):
            raise FormatError(f"{key} must have a true or false for each of {len(layers)} layers", TRAINING)
    epochs, seed = (field(document, key, int, TRAINING) for key in ("epochs", "shuffle_seed"))
    if not 0 <= epochs < 1 << 32 or not 0 <= seed < 1 << 64:
        raise FormatError("epochs and shuffle_seed are out of range", TRAINING)
    with registry.custom_object_scope(custom_objects):
        arguments = {part: _made(document.get(part), *_KINDS.get(part, (None, part))) for part in _PARTS}
        optimizer = _optimizer(field(document, "optimizer", dict, TRAINING))
    _set(layers, flags["trainable_when_compiled"])
    model.compile(optimizer, **arguments, jit=document.get("jit"), auto_scale_loss=False)  # it is part of the optimizer
    if model.own_fit:
        _make_step(model, document)
    elif model.built:
        _ = model._steps.compiled
    _set(layers, flags["trainable"])
    model.resume(epochs, seed)


def _make_step(model: Any, document: Any) -> None:
    """Make the step of training that the model defines, where it had one, with the draws that it had."""
    if document.get("data") is None:
        return
    streams = streams_of(field(document, "draws", dict, TRAINING), TRAINING)
    with given_streams(streams):
        model.expect_data(document["data"])
    reserve(op_id for calls in streams.values() for call in calls for _, _, op_id in call)


def _set(layers: list[Any], flags: list[bool]) -> None:
    for layer, flag in zip(layers, flags):
        layer.trainable = flag


def _optimizer(document: Mapping[str, Any]) -> Any:
    found = _custom(field(document, "class_name", str, TRAINING))
    return optimizers.get(dict(document)) if found is None else found.from_config(document.get("config", {}))


def _made(value: Any, module: ModuleType | None, kind: str) -> Any:
    """The value with the objects that configurations and names of custom functions in it stand for."""
    if isinstance(value, list):
        return [_made(v, module, kind) for v in value]
    if isinstance(value, str):
        return _custom(value) or value
    if not isinstance(value, dict):
        return value
    if module is not None and set(value) == {"class_name", "config"}:
        return registry.make(value, _classes(module), kind)
    return {key: _made(v, module, kind) for key, v in value.items()}


def _custom(name: str) -> Any:
    """The object that the caller or the registry has for a name, None where there is none."""
    try:
        return registry.find(name, {}, "object")
    except ValueError:
        return None


def _classes(module: ModuleType) -> dict[str, Any]:
    """The public classes of a module that configurations can name."""
    return {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, type) and hasattr(found, "from_config") and not name.startswith("_")
    }
