"""What a model of Keras was compiled with, and the state of its optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kbackend import losses, metrics, optimizers, registry
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.warn import warn_caller
from kbackend.metrics.resolve import BY_OUTPUT, resolved
from kbackend.saving.compiled import training_of
from kbackend.saving.errors import FormatError
from kbackend.saving.keras.hdf5 import Group, put, put_texts
from kbackend.saving.keras.objects import custom_object

#: state that Keras keeps for each weight, by kbackend's names in Keras's order
SLOTS: dict[str, tuple[str, ...]] = {
    "Adam": ("m", "v"), "SGD": ("velocity",), "RMSprop": ("mean_square",), "Adadelta": ("mean_square", "mean_change"),
}  # fmt: skip
#: arguments of Keras's optimizers, with the values that change nothing
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "amsgrad": (False,), "centered": (False,), "ema_momentum": (0.99,), "ema_overwrite_frequency": (None,),
    "gradient_accumulation_steps": (None,), "is_legacy_optimizer": (True, False), "jit_compile": (True, False),
    "loss_scale_factor": (None,), "use_ema": (False,), "weight_decay": (None, 0, 0.0), "momentum": (0, 0.0),
}  # fmt: skip
_RENAMED = {"lr": "learning_rate"}
_STATE, _LEGACY_STATE = "optimizer", "optimizer_weights"
#: arguments that optimizers of Keras 2 have not, with the values that change nothing
_OF_KERAS_3: dict[str, tuple[Any, ...]] = {"loss_scale_factor": (None,), "gradient_accumulation_steps": (None,)}


def compile_as(model: Any, document: Any, custom: Mapping[str, Any] | None) -> None:
    """Compile a model with the settings in a file of Keras.

    Raises:
        ValueError: something that kbackend has not.
    """
    optimizer = document.get("optimizer_config", document.get("optimizer"))
    arguments = {key: _made(document.get(key), key, custom or {}) for key in ("loss", "metrics", "weighted_metrics")}
    if isinstance(arguments["metrics"], list) and len(arguments["metrics"]) == 1 and isinstance(
        arguments["metrics"][0], list
    ):
        arguments["metrics"] = arguments["metrics"][0]
    with registry.custom_object_scope(custom):
        model.compile(_optimizer(optimizer, custom or {}), loss_weights=document.get("loss_weights"), **arguments)


def _optimizer(value: Any, custom: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return value
    name, config = value["class_name"], dict(value.get("config", {}))
    found = custom_object(value, custom)
    if found is not None:
        config.pop("is_legacy_optimizer", None)  # what writes for tf-keras adds it
        return found.from_config(config)
    made = {}
    for key, argument in config.items():
        if key == "inner_optimizer" and isinstance(argument, Mapping):
            argument = _optimizer(argument, custom)
        elif isinstance(argument, dict):
            raise ValueError(f"the optimizer {name} has a {key} that is an object")
        if key in _NEUTRAL and (argument in _NEUTRAL[key] or argument is None):
            continue
        made[_RENAMED.get(key, key)] = argument
    return optimizers.get({"class_name": str(name).rpartition(">")[2], "config": made})


def _made(value: Any, key: str, custom: Mapping[str, Any]) -> Any:
    """A loss or metric of a configuration."""
    if isinstance(value, list):
        return [_made(v, key, custom) for v in value]
    if isinstance(value, str):
        return custom.get(value, value)
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {k: _made(v, key, custom) for k, v in value.items()}
    config = value.get("config")
    found = custom_object(value, custom)
    if isinstance(config, str):
        return config if found is None else found
    if found is not None:
        return found.from_config(config)
    name = value["class_name"]
    if name == "MeanMetricWrapper" and isinstance(config, dict):  # Keras 2's of a function, by its name or an alias
        aliases = (config.get("name"), config.get("fn"))
        return next((alias for alias in aliases if isinstance(alias, str) and _is_metric(alias)), config.get("fn"))
    module = losses if key == "loss" else metrics
    known = getattr(module, str(name), None)
    if not isinstance(known, type) or not hasattr(known, "from_config"):
        raise ValueError(f"unknown {'loss' if key == 'loss' else 'metric'} {str(name)[:80]!r}")
    kept = {k: v for k, v in (config or {}).items() if k not in ("dtype", "fn") and (k, v) not in _PLAIN_LOSS}
    return known.from_config(kept)


def _is_metric(name: str) -> bool:
    try:
        resolved(name)
    except ValueError:
        return name in BY_OUTPUT
    return True


_PLAIN_LOSS = (("reduction", "sum_over_batch_size"), ("reduction", "auto"), ("axis", -1), ("from_logits", False),
               ("label_smoothing", 0.0), ("label_smoothing", 0), ("ignore_class", None))


# ------------------------------------------------------------------------------------- state


def _slots(model: Any) -> Iterator[Variable]:
    """The state of the optimizer in Keras's order."""
    optimizer = model.optimizer
    names = SLOTS.get(type(optimizer).__name__, ())
    model.training_graph()  # which makes the state
    for weight in model._steps.compiled.trained:
        for name in names:
            variable = optimizer.made_slot(name, weight)
            if variable is not None:
                yield variable


def read_state(model: Any, root: Group) -> None:
    """Give the optimizer of a compiled model the state in a file of Keras 3.

    Raises:
        FormatError: another number of arrays, or another shape.
    """
    if model.optimizer is None or type(model.optimizer).__name__ not in SLOTS or _STATE not in root or not model.built:
        return
    group = root.group(f"{_STATE}/vars")
    arrays = [group.array(n) for n in sorted(group.names(), key=lambda n: int(n) if n.isdigit() else -1)]
    if len(arrays) <= 2:  # an optimizer that has made no step
        return
    _take(model, arrays, group.where())


def read_legacy_state(model: Any, root: Group) -> None:
    """Give the optimizer of a compiled model the state in an ``.h5``. State in an order that is not known, as of an
    optimizer that kbackend orders otherwise, gives a warning; the optimizer starts anew then."""
    if _LEGACY_STATE not in root or model.optimizer is None or not model.built:
        return
    if type(model.optimizer).__name__ not in SLOTS:
        return
    group = root.group(_LEGACY_STATE)
    arrays = [group.array(name) for name in group.texts("weight_names")]
    if len(arrays) <= 2:
        return
    _take(model, arrays, group.where())


def _take(model: Any, arrays: list[np.ndarray], where: str) -> None:
    found = _ordered(model, arrays)
    if found is None:
        warn_caller(f"the state of the optimizer is not read: its {len(arrays)} arrays are in an unknown order")
        return
    _assign(*found, where)


def _ordered(model: Any, arrays: list[np.ndarray]) -> tuple[list[Variable], list[np.ndarray]] | None:
    """Variables of the optimizer and their arrays, told apart by number and shapes, None where they do not fit.

    Keras 3 has iterations, learning rate and the slots of each weight, the last versions of tf-keras too, without the
    rate; before them it was iterations and each slot of all weights, and in Keras 2.2 further arrays of one element for
    Adam. Where two orders have the same shapes (a model with one weight, or weights of one shape) the first is taken.
    """
    optimizer, slots = model.optimizer, list(_slots(model))
    kinds = len(SLOTS[type(optimizer).__name__])
    by_kind = [v for kind in range(kinds) for v in slots[kind::kinds]]
    count, rate = optimizer.iterations, optimizer.learning_rate
    tried = [([count, rate, *slots], arrays), ([count, *slots], arrays), ([count, *by_kind], arrays), (by_kind, arrays)]
    left = arrays[1 + len(slots) :]
    if left and all(a.shape == (1,) for a in left):
        tried.append(([count, *by_kind], arrays[: 1 + len(slots)]))
    return next((pair for pair in tried if [v.shape for v in pair[0]] == [a.shape for a in pair[1]]), None)


def _assign(own: list[Variable], arrays: list[np.ndarray], where: str) -> None:
    if [a.shape for a in arrays] != [v.shape for v in own]:
        raise FormatError(f"the optimizer has {len(own)} variables, the file {len(arrays)}, or of other shapes", where)
    assign_all(own, arrays)


def _written_state(model: Any, keras_version: int) -> list[np.ndarray]:
    """The state of the optimizer in the order of a version; Keras 2 has the learning rate in its configuration."""
    optimizer = model.optimizer
    if type(optimizer).__name__ not in SLOTS or not model.built:
        return []
    rate = [optimizer.learning_rate] if keras_version == 3 else []
    return values_of([optimizer.iterations, *rate, *_slots(model)])


def write_state(root: Any, model: Any, keras_version: int) -> None:
    """Write the state of the optimizer into a ``.keras`` file."""
    arrays = _written_state(model, keras_version)
    if arrays:
        group = root.create_group(f"{_STATE}/vars")
        group.attrs["name"] = model.optimizer.name.lower()
        for number, value in enumerate(arrays):
            put(group, str(number), value)


def write_legacy_state(root: Any, model: Any) -> None:
    """Write the state of the optimizer into an ``.h5`` file of Keras 2."""
    arrays = _written_state(model, 2)
    if arrays:
        group = root.create_group(_LEGACY_STATE)
        names = [f"variable_{number}" for number in range(len(arrays))]
        put_texts(group, "weight_names", names)
        for name, value in zip(names, arrays):
            put(group, name, value)


# ------------------------------------------------------------------------------------- writing


def document_of(model: Any, keras_version: int = 3) -> dict[str, Any] | None:
    """The settings of a compiled model as a version of Keras writes them; None where it is not compiled.

    Raises:
        ValueError: an optimizer with settings that Keras has not.
    """
    found = training_of(model)
    if found is None:
        return None
    return {
        "optimizer": _written(found["optimizer"], keras_version),
        "loss": _modules(found["loss"], "keras.losses"),
        "loss_weights": found["loss_weights"],
        "metrics": _modules(found["metrics"], "keras.metrics"),
        "weighted_metrics": _modules(found["weighted_metrics"], "keras.metrics"),
        "run_eagerly": False, "steps_per_execution": 1, "jit_compile": False,
    }  # fmt: skip


def _written(optimizer: Mapping[str, Any], keras_version: int) -> dict[str, Any]:
    config, name = dict(optimizer["config"]), optimizer["class_name"]
    absent: dict[str, tuple[Any, ...]] = {"dynamic": (True,)}
    absent |= _OF_KERAS_3 if keras_version == 2 else {"decay": (0,)}
    for key, usual in absent.items():
        value = config.pop(key, usual[0])
        if value not in usual:
            raise ValueError(f"the optimizer has {key}={value}, which Keras {keras_version} has not; use "
                             "include_optimizer=False")
    if isinstance(config.get("inner_optimizer"), Mapping):
        config["inner_optimizer"] = _written(config["inner_optimizer"], keras_version)
    if keras_version == 2:
        decays = bool(config.get("decay"))
        if not decays:
            config.pop("decay", None)
        config["is_legacy_optimizer"] = decays  # from 2.11 on only the older classes have a decay
    return {"module": "keras.optimizers", "class_name": name, "config": config, "registered_name": None}


def _modules(value: Any, module: str) -> Any:
    if isinstance(value, list):
        return [_modules(v, module) for v in value]
    if isinstance(value, dict) and set(value) == {"class_name", "config"}:
        return {"module": module, **value, "registered_name": None}
    if isinstance(value, dict):
        return {k: _modules(v, module) for k, v in value.items()}
    return value


def legacy(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as an ``.h5`` has them."""
    found = {k: v for k, v in settings.items() if k in ("loss", "loss_weights", "metrics", "weighted_metrics")}
    return {**found, "optimizer_config": settings["optimizer"]}
