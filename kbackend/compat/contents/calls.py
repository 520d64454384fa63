"""What calls of layers, initializers and callbacks do in Keras 2.3 beside what they do in kbackend."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import recorder
from kbackend.graph.walk import ancestors
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers.base.recording import Measured, current
from kbackend.metrics.base import value_with


def unpacking(method: Any) -> Any:
    """The run of a layer's ``call``, whose result is the tensor where it is a list of one."""

    @functools.wraps(method)
    def call(self: Any, *args: Any) -> Any:
        found = method(self, *args)
        alone = isinstance(found, (list, tuple)) and len(found) == 1 and isinstance(found[0], Tensor)
        return found[0] if alone else found

    return call


def reseeding(method: Any) -> Any:
    """The call of an initializer, whose seed is one more for the next call."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = method(self, *args, **kwargs)
        if self.seed is not None:
            self.seed += 1
        return found

    return call


def restoring(method: Any) -> Any:
    """``on_epoch_end`` of EarlyStopping, which sets the best weights where it stops the training."""

    @functools.wraps(method)
    def call(self: Any, epoch: int, logs: Any = None) -> None:
        before = self.wait
        method(self, epoch, logs)
        if self.wait > before and self.wait >= max(self.patience, 1) and self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    return call


def leaving_weights(method: Any) -> Any:
    """``on_train_end`` of EarlyStopping, which leaves the weights as they are."""

    @functools.wraps(method)
    def call(self: Any, logs: Any = None) -> None:
        held, self.best_weights = self.best_weights, None
        method(self, logs)
        self.best_weights = held

    return call

# metrics ----------------------------------------------------------------------------------------------------

#: what metrics were called on outside of calls of layers, by the identity of the result
_results: dict[int, Measured] = {}


def taking_tensors(method: Any) -> Any:
    """The call of a metric, which outside of calls of layers takes symbolic tensors too: at once those whose values
    are known, such as ``K.constant`` makes; for others, ``add_metric`` of a model takes the result, and its steps the
    tensors."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        if not given or recorder.get() is not None or current() is not None:
            return method(self, *args, **kwargs)
        if not any(node.op.role is Role.PLACEHOLDER for node in ancestors(given)):
            known = tree_map(lambda value: value.numpy() if isinstance(value, Tensor) else value, (args, kwargs))
            return method(self, *known[0], **known[1])
        result = value_with(self, [(args, kwargs)])
        _results[id(result)] = Measured(self, args, kwargs, result)
        weakref.finalize(result, _results.pop, id(result), None)
        return result

    return call


def adding_results(method: Any) -> Any:
    """``add_metric``, which takes results of metrics that were called outside of calls of layers."""

    @functools.wraps(method)
    def call(self: Any, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        measured = _results.get(id(value))
        if measured is None:
            method(self, value, name, aggregation)
        else:
            self._measured.append(measured._replace(result=None))

    return call


def nearest(self: Any, bounded: Any, wanted: Any) -> Any:
    """One rate at the first threshold where the other is nearest to the value."""
    return K.gather(wanted, K.argmin(K.abs(bounded - self.value)))


#: the dtype of the counts of IoU
counted_in = property(lambda self: self._dtype or config.floatx(), doc="Of the counts.")
