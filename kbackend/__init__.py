"""kbackend: one neutral graph, built with no engine imported, run by NumPy, PyTorch or TensorFlow.

>>> from kbackend import K
>>> x = K.placeholder((None, 2))
>>> f = K.function([x], [K.sum(K.tanh(x))])
>>> float(f([[[0., 0.]]])[0])
0.0

Names are imported on first use, so that ``import kbackend`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kbackend.ground import hooks

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kbackend import (
        activations,
        applications,
        backend,
        callbacks,
        compat,
        config,
        constraints,
        datasets,
        distribution,
        dtype_policies,
        dtypes,
        graph,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        model,
        models,
        ops,
        optimizers,
        plugin,
        preprocessing,
        random,
        regularizers,
        saving,
        testing,
        tools,
        utils,
        wrappers,
    )
    from kbackend import backend as K
    from kbackend.divergence.between import diff
    from kbackend.layers.base.input import Input
    from kbackend.model.functional import Model
    from kbackend.model.sequential import Sequential
    from kbackend.plugin.discover import available_backends
    from kbackend.plugin.modes import is_deterministic, rng, set_deterministic, set_rng
    from kbackend.plugin.select import set_backend, set_device, use_backend
    from kbackend.plugin.threads.setting import set_threads, threads
    from kbackend.streams import set_seed

hooks.call_op.supply("kbackend.declare.call:call")
hooks.declared_ops.supply("kbackend.ops:_declared")
hooks.evaluate.supply("kbackend.runtime.evaluate:evaluate")
hooks.graph_from_json.supply("kbackend.saving.graph_json:from_json")
hooks.graph_to_json.supply("kbackend.saving.graph_json:to_json")
hooks.layer_classes.supply("kbackend.layers:built_in")
hooks.model_classes.supply("kbackend.models:CLASSES")
hooks.owner_of.supply("kbackend.plugin.select:owner_of")
hooks.run_concrete.supply("kbackend.runtime.eager:run")
hooks.run_op.supply("kbackend.runtime.eager:run_op")
hooks.take_metric.supply("kbackend.layers.base.losses:take_metric")
hooks.truth.supply("kbackend.runtime.evaluate:truth")

_MODULES = (
    "activations applications backend callbacks compat config constraints datasets distribution dtype_policies dtypes "
    "graph initializers layers losses metrics mixed_precision model models ops optimizers plugin preprocessing random "
    "regularizers saving testing tools utils wrappers"
).split()
_NAMES = {
    "K": ("kbackend.backend", None),
    "Input": ("kbackend.layers.base.input", "Input"),
    "Model": ("kbackend.model.functional", "Model"),
    "Sequential": ("kbackend.model.sequential", "Sequential"),
    "diff": ("kbackend.divergence.between", "diff"),
    "available_backends": ("kbackend.plugin.discover", "available_backends"),
    "set_backend": ("kbackend.plugin.select", "set_backend"),
    "use_backend": ("kbackend.plugin.select", "use_backend"),
    "is_deterministic": ("kbackend.plugin.modes", "is_deterministic"),
    "rng": ("kbackend.plugin.modes", "rng"),
    "set_deterministic": ("kbackend.plugin.modes", "set_deterministic"),
    "set_rng": ("kbackend.plugin.modes", "set_rng"),
    "set_device": ("kbackend.plugin.select", "set_device"),
    "set_seed": ("kbackend.streams", "set_seed"),
    "set_threads": ("kbackend.plugin.threads.setting", "set_threads"),
    "threads": ("kbackend.plugin.threads.setting", "threads"),
}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        module, attribute = _NAMES[name]
        loaded = importlib.import_module(module)
        value = loaded if attribute is None else getattr(loaded, attribute)
    elif name in _MODULES:
        value = importlib.import_module(f"kbackend.{name}")
    else:
        from kbackend.ground.suggest import missing

        raise missing("kbackend", name, lambda: __all__)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_MODULES})


__all__ = [
    "K",
    "Input",
    "Model",
    "Sequential",
    "activations",
    "applications",
    "available_backends",
    "backend",
    "callbacks",
    "compat",
    "config",
    "constraints",
    "datasets",
    "diff",
    "distribution",
    "dtype_policies",
    "initializers",
    "is_deterministic",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "rng",
    "saving",
    "set_backend",
    "set_deterministic",
    "set_device",
    "set_rng",
    "set_seed",
    "set_threads",
    "threads",
    "use_backend",
    "utils",
    "wrappers",
]
