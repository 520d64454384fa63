"""Several optimizers in one, chosen by weight."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from kbackend import registry
from kbackend.graph.variable import Variable
from kbackend.optimizers.base import Optimizer, Update
from kbackend.optimizers.loss_scale import LossScaleOptimizer


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by patterns of the names of weights.

    Args:
        default_optimizer: for weights that no pattern fits.
        optimizer_map: pattern -> optimizer; a pattern fits a whole name.

    Raises:
        TypeError: what is no optimizer.

    >>> from kbackend import optimizers
    >>> chosen = optimizers.OptimizerMap(optimizers.Adam(), {"embedding/.*": optimizers.SGD()})
    >>> chosen["embedding/embeddings"], chosen["dense/kernel"]
    (<SGD learning_rate=0.01>, <Adam learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07>)
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        self.default_optimizer = _plain_optimizer("default_optimizer", default_optimizer)
        self._map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        """The optimizer for the name of a weight.

        Raises:
            ValueError: several patterns fit.
        """
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"the patterns {found} all fit the weight {key!r}; make them exclude each other")
        return self._map[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a pattern must be a string, it is {key!r}")
        if key in self._map:
            raise ValueError(f"the pattern {key!r} has an optimizer already; delete it first")
        self._map[key] = _plain_optimizer(f"the optimizer of {key!r}", optimizer)

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.name]

    def get_config(self) -> dict[str, Any]:
        optimizers = {pattern: registry.plain(o) for pattern, o in self._map.items()}
        return {"default_optimizer": registry.plain(self.default_optimizer), "optimizer_map": optimizers}


class MultiOptimizer(Optimizer):
    """Several optimizers, each for some of the weights. The learning rates are theirs.

    Args:
        optimizer_map: an :class:`OptimizerMap`, or a function from a weight to its optimizer.
        loss_scale_factor: as in :class:`kbackend.optimizers.Optimizer`; those of the optimizers are not used.
        name: of the optimizer.

    Raises:
        TypeError: neither a map nor a function.

    >>> from kbackend import K, optimizers
    >>> slow, fast = K.variable(1.0, name="slow"), K.variable(1.0, name="fast")
    >>> rates = optimizers.OptimizerMap(optimizers.SGD(0.1), {"fast": optimizers.SGD(0.5)})
    >>> updates = optimizers.MultiOptimizer(rates).get_updates(slow + fast, [slow, fast])
    >>> _ = K.function([], [], updates=updates)([])
    >>> round(float(K.get_value(slow)), 4), float(K.get_value(fast))
    (0.9, 0.5)
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: Any = None, name: str | None = None) -> None:
        if not callable(optimizer_map):
            raise TypeError(f"optimizer_map must be an OptimizerMap or a function of a weight, it is {optimizer_map!r}")
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map: Callable[[Variable], Optimizer] = optimizer_map
        self.optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._know(optimizer)

    def _know(self, optimizer: Any) -> Optimizer:
        if not any(optimizer is known for known in self.optimizers):
            self.optimizers.append(_plain_optimizer("the optimizer of a weight", optimizer))
        return optimizer

    @property
    def learning_rate(self) -> Any:
        """There is none.

        Raises:
            AttributeError: always; the optimizers have rates.
        """
        raise AttributeError("a MultiOptimizer has no learning rate of its own; those of its .optimizers can be set")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.__dict__.get("optimizers") is not None:
            raise AttributeError("a MultiOptimizer has no learning rate of its own; set those of its .optimizers")

    def updates_for(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """The updates of all optimizers."""
        parts: dict[int, tuple[Optimizer, list[Any], list[Variable]]] = {}
        for gradient, param in zip(gradients, params):
            optimizer = self._know(self.optimizer_map(param))
            part = parts.setdefault(id(optimizer), (optimizer, [], []))
            part[1].append(gradient)
            part[2].append(param)
        inner = [update for optimizer, g, p in parts.values() for update in optimizer.updates_for(g, p)]
        return [(self.iterations, self.iterations + 1), *inner]

    @property
    def weights(self) -> list[Variable]:
        """iterations and those of all optimizers."""
        return [self.iterations, *(v for optimizer in self.optimizers for v in optimizer.weights)]

    def variables(self) -> list[Variable]:
        return [self.iterations, *(v for optimizer in self.optimizers for v in optimizer.variables())]

    def averages(self, var_list: Any) -> Any:
        weights = list(var_list)
        return [pair for optimizer in self.optimizers for pair in optimizer.averages(weights)]

    def get_config(self) -> dict[str, Any]:
        chosen: Any = self.optimizer_map
        if isinstance(chosen, OptimizerMap):
            found = {"class_name": "OptimizerMap", "config": chosen.get_config()}
        else:
            found = registry.plain(chosen)
        return {"name": self.name, "optimizer_map": found, "loss_scale_factor": self.loss_scale_factor}


def _plain_optimizer(label: str, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise TypeError(
            f"{label} must be an optimizer, and neither a LossScaleOptimizer nor a MultiOptimizer; it is {optimizer!r}"
        )
    return optimizer
