"""Layers that draw which changes of images are made in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import dtypes
from kbackend.layers.arguments import described, one_of, positive
from kbackend.layers.preprocessing.colors import (
    AutoContrast,
    Equalization,
    RandomColorDegeneration,
    RandomPosterization,
    RandomSharpness,
    Solarization,
    _Share,
)
from kbackend.layers.preprocessing.geometry import (
    Factor,
    RandomBrightness,
    RandomContrast,
    RandomRotation,
    RandomTranslation,
)
from kbackend.layers.preprocessing.mixing import RandomShear
from kbackend.ops.control.cond import switch
from kbackend.ops.control.scan import scan
from kbackend.ops.random.gamma import beta, gamma

_BITS = 8
#: changes that a policy draws from, in the order of their numbers
_OF_RAND_AUGMENT = (
    RandomShear, RandomTranslation, RandomRotation, RandomBrightness, RandomColorDegeneration, RandomContrast,
    RandomSharpness, RandomPosterization, Solarization, AutoContrast, Equalization,
)  # fmt: skip
_OF_AUG_MIX = (
    RandomShear, RandomTranslation, RandomRotation, RandomPosterization, Solarization, AutoContrast, Equalization,
)  # fmt: skip
_MORE_OF_AUG_MIX = (RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness)


class _Policy(_Share):
    """Base class: the numbers of changes are drawn for the batch, and what each of them does for each image."""

    def __init__(
        self, kinds: Sequence[type], factor: Factor, value_range: Sequence[float], interpolation: str,
        seed: int | None, data_format: str | None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.interpolation = one_of(interpolation, ("nearest", "bilinear"), "interpolation", described(self))
        self._changes = [kind(**self._arguments(kind), data_format="channels_last") for kind in kinds]
        for change in self._changes:
            change._draws = self._draws

    def _arguments(self, kind: type) -> dict[str, Any]:
        strength: Any = self._shares
        if kind is RandomPosterization:
            strength = max(1, int(_BITS * strength[1]))
        given = {"value_range": self.value_range, "interpolation": self.interpolation}
        given = {key: value for key, value in given.items() if key in kind.arguments}  # type: ignore[attr-defined]
        factors = [key for key in kind.arguments if key.endswith("factor")]  # type: ignore[attr-defined]
        return {**given, **dict.fromkeys(factors, strength), "name": f"{self.name}_{kind.__name__}"}

    def _change(self, number: Any, x: Any) -> Any:
        """Images after the change of a number; that past the last one is none."""
        return switch(number, [*(change._altered for change in self._changes), K.identity], x)

    def _numbers(self, shape: tuple[int, ...], count: int) -> Any:
        return K.random_uniform(shape, 0, count, dtype="int32", seed=self._draws)


class RandAugment(_Policy):
    """In training, makes some changes of images, drawn for each batch.

    They are :class:`RandomShear`, :class:`RandomTranslation`, :class:`RandomRotation`, :class:`RandomBrightness`,
    :class:`RandomColorDegeneration`, :class:`RandomContrast`, :class:`RandomSharpness`, :class:`RandomPosterization`,
    :class:`Solarization`, :class:`AutoContrast` and :class:`Equalization`.

    Args:
        value_range: the range of values; results of changes of values are limited to it.
        num_ops: how many changes are made.
        factor: the factor of each change: from 0 to a number, or between two, in [0, 1].
        interpolation: 'bilinear' or 'nearest', of the changes of places.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: no changes, a factor outside [0, 1], a range that is none, an unknown interpolation; no images.

    Source: Cubuk, Zoph, Shlens and Le, "RandAugment", 2019.

    >>> from kbackend import Input, layers
    >>> layers.RandAugment(num_ops=1, factor=0.3)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("value_range", "num_ops", "factor", "interpolation", "seed", "data_format")

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: Factor = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_OF_RAND_AUGMENT, factor, value_range, interpolation, seed, data_format, **kwargs)
        self.num_ops = positive(num_ops, "num_ops", described(self))

    def _altered(self, x: Any) -> Any:
        numbers = self._numbers((self.num_ops,), len(self._changes))
        return scan(lambda images, number: (self._change(number, images), None), x, numbers)[0]


class AugMix(_Policy):
    """In training, gives means of images and of what several chains of changes make of them.

    The changes of a chain are drawn for the batch from those of :class:`RandAugment` and none. The weights of the
    chains are drawn from the Dirichlet distribution, that of the images from the beta distribution, for the batch.

    Args:
        value_range: the range of values; results are limited to it.
        num_chains: how many chains there are.
        chain_depth: how many changes a chain has at most.
        factor: the factor of each change: from 0 to a number, or between two, in [0, 1].
        alpha: the parameter of both distributions.
        all_ops: whether :class:`RandomBrightness`, :class:`RandomColorDegeneration`, :class:`RandomContrast` and
            :class:`RandomSharpness` are among the changes.
        interpolation: 'bilinear' or 'nearest', of the changes of places.
        seed: a seed for this layer; the process' stream when None.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, rows, columns, channels), or one image without the batch, to the same.

    Raises:
        ValueError: no chains or changes, a factor outside [0, 1], an alpha that is not positive, a range that is none,
            an unknown interpolation; no images.

    Source: Hendrycks et al., "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty", 2019.

    >>> from kbackend import Input, layers
    >>> layers.AugMix(num_chains=2, chain_depth=1)(Input((8, 8, 3))).shape
    (None, 8, 8, 3)
    """

    arguments = ("value_range", "num_chains", "chain_depth", "factor", "alpha", "all_ops", "interpolation", "seed",
                 "data_format")  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Factor = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        kinds = (*_OF_AUG_MIX, *_MORE_OF_AUG_MIX) if all_ops else _OF_AUG_MIX
        super().__init__(kinds, factor, value_range, interpolation, seed, data_format, **kwargs)
        label = described(self)
        self.num_chains = positive(num_chains, "num_chains", label)
        self.chain_depth = positive(chain_depth, "chain_depth", label)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not alpha > 0:
            raise ValueError(f"{label}: alpha must be a positive number, it is {alpha!r}")
        self.alpha, self.all_ops = float(alpha), all_ops

    def _altered(self, x: Any) -> Any:
        shares = gamma((self.num_chains,), self.alpha, seed=self._draws)
        shares = K.cast(shares / K.sum(shares), x.dtype)
        weight = K.cast(beta((), self.alpha, self.alpha, seed=self._draws), x.dtype)
        count = self.num_chains * self.chain_depth
        last = np.arange(count) % self.chain_depth == self.chain_depth - 1

        def step(state: Any, given: Any) -> Any:
            (images, mixed), (number, is_last, share) = state, given
            changed = self._change(number, images)
            return (K.where(is_last, x, changed), mixed + changed * share), None

        shares = K.repeat_elements(shares, self.chain_depth, 0) * last.astype(dtypes.numpy_dtype(x.dtype))
        numbers = self._numbers((count,), len(self._changes) + 1)
        (_, mixed), _ = scan(step, (x, K.zeros_like(x)), (numbers, K.constant(last, dtype="bool"), shares))
        return self._within(weight * x + (1.0 - weight) * mixed)


__all__ = ["AugMix", "RandAugment"]
