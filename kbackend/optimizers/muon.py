"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.base import Optimizer, Update


class Muon(Optimizer):
    """Momentum whose change of a matrix is made orthogonal by Newton-Schulz iterations; other weights, those of
    embeddings and those that are excluded follow Adam.

    Args:
        learning_rate: the rate.
        adam_beta_1, adam_beta_2, epsilon: of Adam.
        adam_weight_decay: the weight decay of the weights that follow Adam; None for none.
        weight_decay: the weight decay of the others.
        exclude_layers: patterns of names of weights that follow Adam.
        exclude_embeddings: whether weights with "embedding" in their names follow Adam.
        muon_a, muon_b, muon_c: of the polynomial of an iteration.
        adam_lr_ratio: the rate of Adam as a part of the rate.
        momentum: of the running sum of gradients.
        ns_steps: the number of iterations.
        nesterov: whether the gradient is added to the momentum once more.
        rms_rate: changes are scaled by this times the root of the longer side of the matrix; None for no scale.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; Liu et al., "Muon is
    Scalable for LLM Training", 2025.

    >>> from kbackend import optimizers
    >>> optimizers.Muon().ns_steps
    5
    """

    hyperparameters = ("adam_beta_1", "adam_beta_2", "epsilon", "momentum", "adam_lr_ratio")
    settings = (
        "adam_weight_decay", "exclude_layers", "exclude_embeddings", "muon_a", "muon_b", "muon_c", "ns_steps",
        "nesterov", "rms_rate",
    )  # fmt: skip

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: Any = 0.9,
        adam_beta_2: Any = 0.999,
        adam_weight_decay: Any = 0.004,
        epsilon: Any = 1e-7,
        weight_decay: Any = 0.004,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: Any = 1,
        momentum: Any = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **{**options, "weight_decay": weight_decay})
        numbers = (adam_beta_1, adam_beta_2, epsilon, momentum, adam_lr_ratio)
        for label, value in zip(self.hyperparameters, numbers):
            self.hold(label, value)
        self.adam_weight_decay = (
            None if adam_weight_decay is None else self._variable("adam_weight_decay", adam_weight_decay)
        )
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.ns_steps, self.nesterov, self.rms_rate = ns_steps, bool(nesterov), rms_rate

    def follows_adam(self, param: Variable) -> bool:
        """Whether a weight is no matrix to be made orthogonal."""
        if len(param.shape) != 2 or self.exclude_embeddings and "embedding" in param.name.lower():
            return True
        return any(re.search(pattern, param.name) for pattern in self.exclude_layers)

    def decay_of(self, param: Variable) -> Any:
        decay = super().decay_of(param)
        return self.adam_weight_decay if decay is self.weight_decay and self.follows_adam(param) else decay

    def variables(self) -> list[Variable]:
        held = [self.adam_weight_decay] if isinstance(self.adam_weight_decay, Variable) else []
        return [*super().variables(), *held]

    def changes(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        found: list[Update] = []
        for param, gradient in zip(params, self._clipped(gradients)):
            change = self._adam if self.follows_adam(param) else self._orthogonal
            found += change(param, self._decayed(param), gradient)
        return found

    def _adam(self, param: Variable, value: Any, gradient: Any) -> list[Update]:
        mean, square = self.slot("momentum", param), self.slot("velocity", param)
        b1, b2, epsilon, ratio = self.scalars(value, "adam_beta_1", "adam_beta_2", "epsilon", "adam_lr_ratio")
        rate, t = as_dtype(self.rate(), param.dtype) * ratio, as_dtype(self.count() + 1, param.dtype)
        m = b1 * mean + (1.0 - b1) * gradient
        v = b2 * square + (1.0 - b2) * K.square(gradient)
        rate = rate * K.sqrt(1.0 - b2**t) / (1.0 - b1**t)
        return [(param, value - rate * m / (K.sqrt(v) + epsilon)), (mean, m), (square, v)]

    def _orthogonal(self, param: Variable, value: Any, gradient: Any) -> list[Update]:
        held = self.slot("momentum", param)
        (keep,) = self.scalars(value, "momentum")
        sum_ = keep * held + gradient
        change = self._orthogonalized(gradient + keep * sum_ if self.nesterov else sum_)
        scale = 1.0 if self.rms_rate is None else math.sqrt(max(d or 1 for d in param.shape)) * self.rms_rate
        return [(param, value - as_dtype(self.rate(), param.dtype) * scale * change), (held, sum_)]

    def _orthogonalized(self, x: Any) -> Any:
        """A matrix with singular values near 1 and the singular vectors of ``x``."""
        tall = x.shape[0] > x.shape[1]
        x = K.transpose(x) if tall else x
        x = x / (K.sqrt(K.sum(K.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = K.dot(x, K.transpose(x))
            x = self.muon_a * x + K.dot(self.muon_b * square + self.muon_c * K.dot(square, square), x)
        return K.transpose(x) if tall else x
