"""Layers whose weight can be adapted by a product of two small ones while it stays as it is."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np

from kbackend import backend as K
from kbackend.graph.node import name_scope
from kbackend.graph.variable import Variable
from kbackend.layers.arguments import described, positive, scalar
from kbackend.layers.base.inside import revise
from kbackend.layers.base.layer import Layer
from kbackend.ops.elementwise.precision import wide_dtype
from kbackend.ops.linalg.dense import dense


class Adapter(NamedTuple):
    """The weights of an adapted layer: the one that stays, and the two whose product is added."""

    weight: Variable
    first: Variable
    second: Variable
    scale: Any

    def merged(self, weight: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The value of the weight with the product, from their values."""
        scale = self.scale if isinstance(self.scale, (int, float)) else float(K.eval(self.scale))
        return (weight + scale * (first @ second)).astype(weight.dtype)


class LowRank(Layer):
    """Base class of layers with ``enable_lora``.

    A class calls ``_set_rank`` in its constructor, ``_add_rank`` at the end of ``build``, and computes with
    ``_adapted_weight``.

    Attributes:
        lora_rank: the rank; None for no adapter.
        lora_alpha: the product is multiplied by ``lora_alpha / lora_rank``; it may be a variable.
        lora_enabled: whether there is an adapter.

    Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
    """

    #: the name of the weight that is adapted
    adapted = "kernel"
    hyperparameters = (*Layer.hyperparameters, "lora_alpha")
    lora_enabled = False
    lora_rank: int | None = None
    lora_alpha: Any = None
    quantization_mode: str | None = None

    def _set_rank(self, rank: Any, alpha: Any) -> None:
        label = described(self)
        self.lora_rank = None if rank is None else positive(rank, "lora_rank", label)
        self.lora_alpha = self.lora_rank if alpha is None else scalar(alpha, "lora_alpha", label)
        if rank is not None:
            self._refuse_constraint()

    def _refuse_constraint(self) -> None:
        if getattr(self, f"{self.adapted}_constraint", None) is not None:
            raise ValueError(
                f"{described(self)}: a weight with a constraint cannot be adapted by LoRA, as the constraint would not "
                f"hold for the sum; leave {self.adapted}_constraint out"
            )

    def _add_rank(self) -> None:
        if self.lora_rank is not None and not self.lora_enabled:
            self._add_adapter("he_uniform", "zeros")

    def enable_lora(
        self, rank: int, lora_alpha: Any = None, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """Stop training the weight, and add the product of two trained ones, ``(..., rank)`` and ``(rank, last)``.

        Models that have the layer compute with it from then on; compile those that are to be trained again.

        Args:
            rank: the rank.
            lora_alpha: the product is multiplied by ``lora_alpha / rank``; the rank when None.
            a_initializer, b_initializer: initial values; of zeros for one of them, the layer computes the same at
                first.

        Raises:
            ValueError: the layer is not built, has an adapter or a constraint of the weight, or the rank is none.

        >>> from kbackend import Input, layers
        >>> layer = layers.Dense(3)
        >>> y = layer(Input((4,)))
        >>> layer.enable_lora(2)
        >>> [w.shape for w in layer.trainable_weights], [w.shape for w in layer.non_trainable_weights]
        ([(3,), (4, 2), (2, 3)], [(4, 3)])
        """
        label = described(self)
        if not self.built:
            raise ValueError(f"{label}: call the layer on a tensor, or build it, before enable_lora")
        if self.lora_enabled:
            raise ValueError(f"{label} has an adapter of rank {self.lora_rank} already")
        self._refuse_constraint()
        self._set_rank(positive(rank, "rank", label), lora_alpha)
        with name_scope(self.name), self._owner.scope():
            self._add_adapter(a_initializer, b_initializer)
        revise(self)

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        """The shape of the weight as floats."""
        return tuple(getattr(self, self.adapted).shape)

    def _add_adapter(self, first: Any, second: Any) -> None:
        weight = getattr(self, self.adapted)
        *rows, last = self._adapted_shape
        rank = self.lora_rank or 0
        penalty = getattr(self, f"{self.adapted}_regularizer", None)
        # small changes of half-precision weights would be lost
        options: dict[str, Any] = {"dtype": wide_dtype(self.dtype), "regularizer": penalty}
        names = [f"lora_{self.adapted}_{part}" for part in "ab"]
        shapes = [(*rows, rank), (rank, last)]
        for name, shape, initializer in zip(names, shapes, (first, second)):
            setattr(self, name, self.add_weight(name, shape, initializer=initializer, constraint=None, autocast=False,
                                                **options))  # fmt: skip
        weight.trainable = False
        self.lora_enabled = True

    def _factors(self) -> tuple[Any, Any]:
        first, second = (getattr(self, f"lora_{self.adapted}_{part}") for part in "ab")
        return first, second

    @property
    def _lora_scale(self) -> Any:
        return self.lora_alpha / self.lora_rank

    def _adapted_weight(self, weight: Any) -> Any:
        """The weight that the layer computes with: the one given and the product."""
        if not self.lora_enabled:
            return weight
        first, second = self._factors()
        change = dense(first, second) * self._lora_scale
        return K.cast(K.cast(weight, change.dtype) + change, weight.dtype)

    def _adapter(self) -> Adapter | None:
        """What files merge; None without an adapter."""
        if not self.lora_enabled or self.quantization_mode is not None:
            return None
        return Adapter(getattr(self, self.adapted), *self._factors(), self._lora_scale)

    def _own_weights(self, known: Container[int] = ()) -> list[Variable]:
        """As ever, with the weight first though training does not change it."""
        found = super()._own_weights(known)
        if self.lora_enabled and self.quantization_mode is None:
            weight = getattr(self, self.adapted)
            found = sorted(found, key=lambda v: v is not weight)
        return found

    def quantize(self, mode: str, type_check: bool = True, config: Any = None) -> None:
        """Store the weight in few bits. Layers that can do it override it.

        Raises:
            NotImplementedError: always here.
        """
        raise NotImplementedError(
            f"{described(self)} cannot be quantized: Keras defines it for Dense, EinsumDense and Embedding alone"
        )

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        if self.lora_rank is not None:
            alpha = self.lora_alpha
            value = alpha if isinstance(alpha, (int, float)) else float(K.eval(alpha))
            found |= {"lora_rank": self.lora_rank, "lora_alpha": value}
        return found


__all__: list[str] = []
