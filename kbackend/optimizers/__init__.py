"""Optimizers: they turn gradients into updates, as part of the graph. Hyperparameters are variables and so live.

>>> from kbackend import K, optimizers
>>> w = K.variable(3.0)
>>> step = K.function([], [K.square(w)], updates=optimizers.SGD(0.1).get_updates(K.square(w), [w]))
>>> _ = step([])
>>> round(float(K.get_value(w)), 4)
2.4
"""

from __future__ import annotations

from typing import Any

from kbackend import registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.optimizers import schedules
from kbackend.optimizers.adafactor import Adafactor
from kbackend.optimizers.adagrad import Adadelta, Adagrad
from kbackend.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from kbackend.optimizers.base import Optimizer, clip_norm
from kbackend.optimizers.ftrl import Ftrl
from kbackend.optimizers.lion import Lion
from kbackend.optimizers.loss_scale import LossScaleOptimizer
from kbackend.optimizers.multi import MultiOptimizer, OptimizerMap
from kbackend.optimizers.muon import Muon
from kbackend.optimizers.rmsprop import RMSprop
from kbackend.optimizers.schedule_free import ScheduleFreeAdamW
from kbackend.optimizers.sgd import SGD


class TFOptimizer(Optimizer):
    """Keras 2's wrapper of TensorFlow 1's optimizers, which cannot be made here.

    Args:
        optimizer: what it would wrap.

    Raises:
        TypeError: always; the message says what to use.
    """

    def __init__(self, optimizer: Any) -> None:
        raise TypeError(
            f"TFOptimizer wraps optimizers of TensorFlow 1, which change only TensorFlow's own variables, such as "
            f"{optimizer!r}; use one of kbackend.optimizers: {', '.join(sorted(CLASSES))}"
        )


CLASSES: dict[str, Any] = {
    c.__name__: c
    for c in (
        SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Lamb, Lion, Ftrl, Adafactor, Muon,
        ScheduleFreeAdamW, LossScaleOptimizer, MultiOptimizer,
    )
}  # fmt: skip
_BUILTIN: dict[str, Any] = {**{name.lower(): c for name, c in CLASSES.items()}, **CLASSES}
_NESTED = {"inner_optimizer", "default_optimizer"}


def get(identifier: Any) -> Optimizer:
    """The optimizer for a name in any case, a configuration ``{"class_name": ..., "config": {...}}`` or an Optimizer.

    Args:
        identifier: a name, a configuration or an Optimizer.

    Raises:
        ValueError: an unknown name, with the known ones.

    >>> from kbackend import optimizers
    >>> optimizers.get("adam")
    <Adam learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07>
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    name = identifier.get("class_name") if isinstance(identifier, dict) else identifier
    if not isinstance(name, str):
        raise _unknown(identifier)
    lower = {name: _BUILTIN[name.lower()]} if name.lower() in _BUILTIN else {}
    try:
        found = registry.find(name, {**_BUILTIN, **lower}, "optimizer")
    except ValueError:
        raise _unknown(identifier) from None
    config = identifier.get("config", {}) if isinstance(identifier, dict) else {}
    return found.from_config(_with_inner(config))


def _unknown(identifier: Any) -> ValueError:
    return registry.unknown("optimizer", identifier, [name.lower() for name in CLASSES])


def _with_inner(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the optimizers inside it made."""
    made = {name: get(value) if name in _NESTED else value for name, value in config.items()}
    inner = config.get("optimizer_map")
    if isinstance(inner, dict) and inner.get("class_name") == "OptimizerMap":
        parts = inner["config"]
        chosen = {pattern: get(value) for pattern, value in parts["optimizer_map"].items()}
        made["optimizer_map"] = OptimizerMap(get(parts["default_optimizer"]), chosen)
    return made


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The class name and config of an optimizer.

    Args:
        optimizer: an Optimizer.

    >>> from kbackend import optimizers
    >>> optimizers.serialize(optimizers.SGD(0.1))["class_name"]
    'SGD'
    """
    return registry.plain(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """The optimizer of a configuration; see :func:`get`.

    Args:
        config: a name, or a configuration as :func:`kbackend.optimizers.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import optimizers
    >>> config = optimizers.serialize(optimizers.SGD(0.1))
    >>> type(optimizers.deserialize(config)).__name__
    'SGD'
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [
    *CLASSES,
    "Optimizer",
    "OptimizerMap",
    "TFOptimizer",
    "clip_norm",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_suggest_in(__name__)
