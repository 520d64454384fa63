"""The base of metrics: state in variables, updates as part of a graph, results read when they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config, dtypes, initializers, registry
from kbackend.declare.call import to_numpy
from kbackend.declare.kept import built
from kbackend.graph.assignments import recording
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, recorder
from kbackend.ground import hooks
from kbackend.ground.active import building
from kbackend.ground.public import Public
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.updates import as_updates
from kbackend.plugin.select import active_target, owner_of
from kbackend.runtime.function import Function
from kbackend.runtime.stateless import Stateless

_KEPT = 64


class Metric(Public):
    """Base class of metrics. A metric of one's own makes variables with ``add_weight``, and defines ``update_state``,
    which assigns them, and ``result``, both written with K.

    ``update_state`` on arrays and engine tensors changes the state now and returns the new value of what it assigned
    last; on symbolic tensors it gives the updates for ``K.function``. The training and test steps of a model take them
    along, so that no step waits for the host. ``result`` gives the engine's value.

    Args:
        dtype: of the state; floatx when None.
        name: shown in logs.

    Raises:
        TypeError: called on symbolic tensors outside a step of training and the call of a layer.

    >>> from kbackend import K, metrics
    >>> class Largest(metrics.Metric):
    ...     def __init__(self, name="largest", dtype=None):
    ...         super().__init__(name=name, dtype=dtype)
    ...         self.top = self.add_weight(name="top")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.top.assign(K.maximum(self.top, K.max(K.abs(y_true - y_pred))))
    ...     def result(self):
    ...         return self.top
    >>> largest = Largest()
    >>> _ = largest.update_state([1.0, 2.0], [1.5, 5.0])
    >>> float(largest.result())
    3.0
    """

    #: whether the metric has a state
    stateful = True
    #: whether an update with the samples of several batches is the same as one with each of them, but for rounding
    additive = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "update_state" in cls.__dict__ and "additive" not in cls.__dict__:
            cls.additive = False
        for name, wrapped in (("update_state", _updating), ("result", _resulting)):
            if name in cls.__dict__:
                setattr(cls, name, wrapped(cls.__dict__[name]))

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or type(self).__name__.lower()
        self._dtype = None if dtype is None else dtypes.canonical(getattr(dtype, "compute_dtype", dtype))
        self._variables: list[Variable] = []
        self._updating: dict[Any, Function] = {}
        self._reading: tuple[Any, Any] | None = None
        self._stateless = Stateless(self.name)

    @property
    def dtype(self) -> str:
        """Of the state."""
        return self._dtype or config.floatx()

    # state -------------------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, aggregation: Any = None, name: Any = None
    ) -> Variable:
        """A variable of the state.

        Args:
            shape: of the variable.
            initializer: of its first value; zeros when None. A reset makes it zero.
            dtype: that of the metric when None.
            aggregation: unused, kept for Keras's calls.
            name: of the variable.
        """
        dims = (shape,) if isinstance(shape, int) else tuple(int(d) for d in shape)
        kind = self.dtype if dtype is None else dtypes.canonical(dtype)
        start = initializers.initial_value(initializers.get(initializer or "zeros"), dims, kind)
        label = f"{self.name}/{name or f'state_{len(self._variables)}'}"
        made = Variable(start, dims, kind, label, trainable=False)
        self._variables.append(made)
        return made

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: Any = None
    ) -> Variable:
        """As :meth:`add_variable`; Keras 2's order (name, shape, initializer, dtype) is understood as well."""
        if isinstance(shape, str):
            given = (initializer, dtype, name) if isinstance(initializer, (tuple, list)) else ((), initializer, dtype)
            return self.add_variable(*given, name=shape)
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state, and that of metrics inside this one."""
        inner = [m for m in vars(self).values() if isinstance(m, Metric)]
        return [*self._variables, *(v for m in inner for v in m.variables)]

    weights = variables

    def reset_state(self) -> None:
        """Make the state zero."""
        _make_zero(self.variables)

    def reset_states(self) -> None:
        """:meth:`reset_state`, by Keras 2's name."""
        self.reset_state()

    # without state -----------------------------------------------------------------------------------------

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The values of :attr:`variables` after a batch, from those before it; the metric does not change.

        Args:
            metric_variables: values, symbolic or of an engine, in the order of :attr:`variables`.
            args, kwargs: what ``update_state`` takes.

        Raises:
            ValueError: another number of values or another shape.

        >>> from kbackend import metrics
        >>> mean = metrics.Mean()
        >>> state = mean.stateless_update_state([0.0, 0.0], [1.0, 3.0])
        >>> float(mean.stateless_result(state)), float(mean.result())
        (2.0, 0.0)
        """

        def build(given: Any) -> list[Any]:
            new = dict(self.updates_for(*given[0], **given[1]))
            return [new.get(v, v) for v in self.variables]

        given = [None if v is None else _as_operand(v) for v in args]
        named = {k: None if v is None else _as_operand(v) for k, v in kwargs.items()}
        return list(self._stateless(build, self.variables, metric_variables, (given, named), key="update"))

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result for values of :attr:`variables`; see :meth:`stateless_update_state`."""
        return self._stateless(lambda _: self.symbolic_result(), self.variables, metric_variables, key="result")

    def stateless_reset_state(self) -> list[Any]:
        """The values of :attr:`variables` at the start: zeros."""
        return [np.zeros(v.shape, dtypes.numpy_dtype(v.dtype)) for v in self.variables]

    # what a metric defines ---------------------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch: ``(y_true, y_pred, sample_weight=None)`` for most metrics."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight=None)")

    def result(self) -> Any:
        """The value for the batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define result()")

    # use ---------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch and give the result. Inside the ``call`` of a layer or model the steps of training and tests
        take symbolic tensors along, and the metric is shown with the others.

        Raises:
            TypeError: symbolic tensors outside a step of training and the call of a layer.
        """
        if recorder.get() is None and _is_symbolic((args, kwargs)):
            result = hooks.take_metric(self, args, kwargs)
            if result is not None:
                return result
            raise TypeError(
                f"{self.name} was called on symbolic tensors, which changes no state: give the updates of "
                "update_state to K.function, or the metric to compile or add_metric"
            )
        self.update_state(*args, **kwargs)
        return self.result()

    def updates_for(self, *args: Any, **kwargs: Any) -> list[tuple[Variable, Any]]:
        """The updates of ``update_state`` for symbolic tensors."""
        with recording() as made:
            built(self.update_state, *args, **kwargs)
        return as_updates(made.updates())

    def symbolic_result(self) -> Any:
        """The result as tensors that read the state."""
        return built(self.result)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        hidden = ("name", "reduction", "dtype", "fn")
        shown = registry.settings_text({k: v for k, v in self.get_config().items() if k not in hidden})
        return f"<{type(self).__name__} {self.name!r}{shown and ' '}{shown}>"

    # concrete batches --------------------------------------------------------------------------------------

    def _updated(self, update: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run the updates for arrays and engine tensors."""
        target = active_target()
        names = (*range(len(args)), *kwargs)
        operands = [(name, x) for name, x in zip(names, (*args, *kwargs.values())) if x is not None]
        given = [_concrete(x, target) for _, x in operands]
        key = (update, *((name, *_spec(x, target)) for (name, _), x in zip(operands, given)))
        made = self._updating.get(key)
        if made is None:
            specs = zip(operands, (_spec(x, target) for x in given))
            feeds = {name: K.placeholder(shape, dtype=dtype) for (name, _), (shape, dtype) in specs}
            with recording() as found:
                built(update, self, *map(feeds.get, range(len(args))), **{k: feeds.get(k) for k in kwargs})
            updates = as_updates(found.updates())
            made = Function(list(feeds.values()), [value for _, value in updates[-1:]], updates, f"{self.name}_update")
            if len(self._updating) >= _KEPT:
                self._updating.clear()
            self._updating[key] = made
        values = made(given, as_numpy=False)
        return values[0] if values else None

    def _read(self, result: Callable[..., Any]) -> Any:
        """The result as the engine's values."""
        key = (result, tuple(v.uid for v in self.variables))
        if self._reading is None or self._reading[0] != key:
            value = built(result, self)
            tensors = [t for t in tree_leaves(value) if isinstance(t, Tensor)]
            if not tensors:
                return value
            self._reading = key, (value, Function([], tensors, (), f"{self.name}_result"))
        value, function = self._reading[1]
        found = iter(function([], as_numpy=False))
        return tree_map(lambda t: next(found) if isinstance(t, Tensor) else t, value)


def reset_all(metrics: Sequence[Metric]) -> None:
    """``reset_state`` of each; the states of those that do not define it become zero together."""
    plain = [m for m in metrics if getattr(m.reset_state, "__func__", None) is Metric.reset_state]
    for metric in metrics:
        if metric not in plain:
            metric.reset_state()
    _make_zero([v for metric in plain for v in metric.variables])


def _make_zero(variables: Sequence[Variable]) -> None:
    assign_all(variables, [np.zeros(v.shape, dtypes.numpy_dtype(v.dtype)) for v in variables])


def value_with(metric: Metric, batches: Sequence[tuple[Any, Any]]) -> Any:
    """The result of a metric after batches of symbolic tensors, each the arguments of ``update_state``."""
    with recording():
        for args, kwargs in batches:
            built(metric.update_state, *args, **kwargs)
        return built(metric.result)


def _updating(method: Callable[..., Any]) -> Callable[..., Any]:
    """``update_state`` for symbolic tensors, as it is written, which takes concrete ones as well."""

    @wraps(method)
    def update_state(self: Metric, *args: Any, **kwargs: Any) -> Any:
        taken = recorder.get()
        if taken is not None:
            for update in _as_list(method(self, *args, **kwargs)):
                if isinstance(update, tuple):  # K.update records itself
                    taken.put(*update)
            return None
        if _is_symbolic((args, kwargs)):
            hooks.take_metric(self, args, kwargs)
            return self.updates_for(*args, **kwargs)
        return self._updated(update_state, args, kwargs)

    return update_state


def _resulting(method: Callable[..., Any]) -> Callable[..., Any]:
    """``result`` as it is written inside a graph, with the engine's values outside."""

    @wraps(method)
    def result(self: Metric) -> Any:
        taken = recorder.get()
        if taken is not None:
            return tree_map(taken.current, method(self))
        return method(self) if building.get() else self._read(method)

    return result


def _as_list(updates: Any) -> Sequence[Any]:
    if updates is None:
        return ()
    return updates if isinstance(updates, list) else [updates]


def _is_symbolic(values: Any) -> bool:
    return any(isinstance(x, Tensor) for x in tree_leaves(values))


def _as_operand(value: Any) -> Any:
    """An operand with a shape and a dtype."""
    return value if hasattr(value, "dtype") and hasattr(value, "shape") else to_numpy(value)


def _concrete(value: Any, target: Any) -> Any:
    """An operand as a tensor of the target's engine or an array."""
    if target.backend.is_tensor(value):
        return value
    owner = owner_of(value)
    if owner is not None and not isinstance(value, np.ndarray):
        return owner.to_numpy(value)
    return as_tensor(value if hasattr(value, "dtype") and hasattr(value, "shape") else np.asarray(value).tolist())


def _spec(value: Any, target: Any) -> tuple[Any, str]:
    if target.backend.is_tensor(value):
        spec = target.backend.spec(value)
        return spec.shape, spec.dtype
    return tuple(value.shape), dtypes.canonical(value.dtype)


def clone_metric(metric: Any) -> Any:
    """A metric of the same configuration with a state of its own; functions are returned as they are (Keras 2).

    Args:
        metric: a Metric or a function.

    >>> from kbackend import metrics
    >>> metric = metrics.Mean(name="level")
    >>> _ = metric.update_state([1.0, 3.0])
    >>> again = metrics.clone_metric(metric)
    >>> again.name, float(again.result()), float(metric.result())
    ('level', 0.0, 2.0)
    """
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def clone_metrics(metrics: Sequence[Any]) -> list[Any]:
    """:func:`clone_metric` of each.

    Args:
        metrics: a list of those.

    >>> from kbackend import metrics
    >>> [m.name for m in metrics.clone_metrics([metrics.Mean(), metrics.Sum()])]
    ['mean', 'sum']
    """
    return [clone_metric(metric) for metric in metrics]


def options_of(metric: Any, *names: str) -> dict[str, Any]:
    """Attributes of a metric for its configuration."""
    return {name: registry.plain(getattr(metric, name)) for name in names}
