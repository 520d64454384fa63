"""Layers that draw in training, and penalties on activities.

Their rates are live: with a K.variable a new value counts from the next step on, and no program is made again. A layer
with a seed draws the same in any model; called twice, it draws anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend import regularizers
from kbackend.graph.tensor import Tensor
from kbackend.layers.arguments import data_format_of, described, is_zero, scalar
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.streams import SeedGenerator

#: what the negative saturation of selu comes to: -scale * alpha
_SATURATION = -1.7580993408473766


class _Drawing(Layer):
    """Base class: in training the inputs are changed by draws, else they are passed on."""

    supports_masking = True

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._draws = None if seed is None else SeedGenerator(seed)

    def _changed(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _idle(self) -> bool:
        """Whether nothing is ever changed."""
        return False

    def call(self, inputs: Any, training: Any = None) -> Any:
        return inputs if self._idle() else K.in_train_phase(lambda: self._changed(inputs), inputs, training)


class _Rated(_Drawing):
    hyperparameters = ("rate",)

    def __init__(self, rate: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = checked_rate(rate, described(self))

    def _idle(self) -> bool:
        return is_zero(self.rate)

    def _below_one(self) -> None:
        if not isinstance(self.rate, Tensor) and self.rate == 1:
            raise ValueError(f"{described(self)}: the rate must be below 1, where nothing would be left")


class Dropout(_Rated):
    """In training, sets a part of the inputs to 0 and scales the others up; else passes them on.

    Args:
        rate: the part that is dropped: a number in [0, 1], or a K.variable, which stays live: a new value
            counts from the next step on, and no program is made again.
        noise_shape: which dimensions have decisions of their own; see ``K.dropout``. A class of one's own may override
            ``_get_noise_shape(inputs)``.
        seed: a seed for this layer; the process' stream when None.

    Shapes: any, to the same.

    Raises:
        ValueError: a rate outside [0, 1].

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014.

    >>> from kbackend import K, Input, layers
    >>> rate = K.variable(0.5)
    >>> layers.Dropout(rate)(Input((5,))).shape
    (None, 5)
    """

    arguments: tuple[str, ...] = ("rate", "noise_shape", "seed")

    def __init__(
        self,
        rate: Any,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = noise_shape

    def _get_noise_shape(self, inputs: Any) -> Sequence[int | None] | None:
        return self.noise_shape

    def _shape_of_noise(self, inputs: Any) -> Sequence[int | None] | None:
        """The shape with None for the sizes of the input, as which ``K.shape(inputs)[0]`` counts too."""
        shape = self._get_noise_shape(inputs)
        return None if shape is None else tuple(None if isinstance(size, Tensor) else size for size in shape)

    def _changed(self, inputs: Any) -> Any:
        return K.dropout(inputs, self.rate, self._shape_of_noise(inputs), self._draws)


class _SpatialDropout(Dropout):
    """Drops whole feature maps."""

    rank = 1
    arguments: tuple[str, ...] = ("rate", "seed")

    def __init__(self, rate: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, None, seed, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _get_noise_shape(self, inputs: Any) -> Sequence[int | None]:
        return (None, *(1,) * self.rank, None)


class SpatialDropout1D(_SpatialDropout):
    """In training, sets whole channels of a sequence to 0 and scales the others up.

    Args:
        rate: the part of the channels that is dropped; a number in [0, 1], or a live K.variable.
        seed: a seed for this layer; the process' stream when None.

    Shapes: (batch, steps, channels). Source: Tompson, Goroshin, Jain, LeCun, Bregler 2015.

    >>> from kbackend import Input, layers
    >>> layers.SpatialDropout1D(0.5)(Input((7, 3))).shape
    (None, 7, 3)
    """


class _SpatialDropoutND(_SpatialDropout):
    arguments = ("rate", "data_format", "seed")

    def __init__(
        self, rate: Any, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.data_format = data_format_of(self, data_format)

    def _get_noise_shape(self, inputs: Any) -> Sequence[int | None]:
        ones = (1,) * self.rank
        return (None, None, *ones) if self.data_format == "channels_first" else (None, *ones, None)


class SpatialDropout2D(_SpatialDropoutND):
    """In training, sets whole channels of images to 0 and scales the others up. See :class:`SpatialDropout1D`.

    Args:
        rate: the part of the channels that is dropped; a number in [0, 1], or a live K.variable.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.
        seed: a seed for this layer; the process' stream when None.

    Shapes: (batch, rows, columns, channels) to the same.

    >>> from kbackend import Input, layers
    >>> layers.SpatialDropout2D(0.5)(Input((4, 5, 3))).shape
    (None, 4, 5, 3)
    """

    rank = 2


class SpatialDropout3D(_SpatialDropoutND):
    """In training, sets whole channels of volumes to 0 and scales the others up. Arguments as
    :class:`SpatialDropout2D`.

    Shapes: (batch, depth, rows, columns, channels) to the same.

    >>> from kbackend import Input, layers
    >>> layers.SpatialDropout3D(0.5)(Input((2, 4, 5, 3))).shape
    (None, 2, 4, 5, 3)
    """

    rank = 3


class GaussianNoise(_Drawing):
    """In training, adds normal noise; else passes the inputs on.

    Args:
        stddev: of the noise: a number from 0 on, or a K.variable, which stays live.
        seed: a seed for this layer; the process' stream when None.

    Shapes: any, to the same.

    Raises:
        ValueError: a negative number.

    >>> from kbackend import Input, layers
    >>> layers.GaussianNoise(0.1)(Input((5,))).shape
    (None, 5)
    """

    arguments = ("stddev", "seed")
    hyperparameters = ("stddev",)

    def __init__(self, stddev: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if not isinstance(stddev, Tensor) and not stddev >= 0:
            raise ValueError(f"{described(self)}: the standard deviation must not be negative, it is {stddev!r}")
        self.stddev = stddev

    def _idle(self) -> bool:
        return is_zero(self.stddev)

    def _changed(self, inputs: Any) -> Any:
        return inputs + _normal_like(inputs, self._draws) * self.stddev


class GaussianDropout(_Rated):
    """In training, multiplies by normal noise of mean 1 and variance ``rate / (1 - rate)``, that of dropout.

    Args:
        rate: a number in [0, 1), or a live K.variable.
        seed: a seed for this layer; the process' stream when None.

    Shapes: any, to the same.

    Raises:
        ValueError: a rate outside [0, 1).

    Source: Srivastava et al. 2014.

    >>> from kbackend import Input, layers
    >>> layers.GaussianDropout(0.1)(Input((5,))).shape
    (None, 5)
    """

    arguments = ("rate", "seed")

    def __init__(self, rate: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self._below_one()

    def _changed(self, inputs: Any) -> Any:
        rate = _rate_of(self.rate, inputs)
        deviation = K.rsqrt((1.0 - rate) / rate)  # torch's square roots are not rounded as others are
        return inputs * (_normal_like(inputs, self._draws) * deviation + 1.0)


class AlphaDropout(_Rated):
    """Dropout for selu: dropped elements get its negative saturation, and mean and variance stay.

    Args:
        rate: the part that is dropped: a number in [0, 1), or a live K.variable.
        noise_shape: which dimensions have decisions of their own; see ``K.dropout``.
        seed: a seed for this layer; the process' stream when None.

    Shapes: any, to the same.

    Raises:
        ValueError: a rate outside [0, 1).

    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017.

    >>> from kbackend import Input, layers
    >>> layers.AlphaDropout(0.1)(Input((5,))).shape
    (None, 5)
    """

    arguments = ("rate", "noise_shape", "seed")

    def __init__(
        self,
        rate: Any,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = noise_shape
        self._below_one()

    def _changed(self, inputs: Any) -> Any:
        rate = _rate_of(self.rate, inputs)
        ones = K.ones_like(inputs)
        kept = K.not_equal(K.dropout(ones, self.rate, self.noise_shape, self._draws), 0.0)
        scale = K.rsqrt((1.0 - rate) * (1.0 + rate * _SATURATION**2))
        # written with one multiplication by the scale: of two TensorFlow makes one, which rounds otherwise
        return (K.where(kept, inputs, _SATURATION) - rate * _SATURATION) * scale


def _normal_like(inputs: Any, seed: Any) -> Any:
    return K.random_normal(K.shape(inputs), 0.0, 1.0, dtype=inputs.dtype, seed=seed)


def _rate_of(rate: Any, inputs: Any) -> Any:
    """The rate in the dtype of the inputs."""
    return K.cast(rate if isinstance(rate, Tensor) else K.constant(rate, inputs.dtype), inputs.dtype)


class ActivityRegularization(Layer):
    """Passes the inputs on and adds a penalty on them to the loss.

    Args:
        l1, l2: factors of the sums of absolute values and of squares; K.variables stay live.

    Shapes: any, to the same.

    >>> from kbackend import Input, layers
    >>> layers.ActivityRegularization(l2=0.1)(Input((3,))).shape
    (None, 3)
    """

    arguments = ("l1", "l2")
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = scalar(l1, "l1", described(self)), scalar(l2, "l2", described(self))

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config().items() if k != "activity_regularizer"}


__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
