"""Normalization by the statistics of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.graph.tensor import Tensor
from kbackend.layers.arguments import described, mapping, scalar, set_roles
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.elementwise.select import select_elements


class BatchNormalization(Layer):
    """Mean 0 and variance 1 along ``axis``, then a scale and an offset.

    In training the statistics are the batch's, and each training step moves the moving averages towards them; else
    the moving averages are used, as with ``training=False``. The moving variance takes the biased variance. A model
    that is compiled while the layer, or a layer or model around it, has ``trainable = False`` leaves scale, offset and
    moving averages as they are, and uses the moving averages in training too.

    Args:
        axis: the axis of the features.
        momentum: of the moving averages: ``moving * momentum + batch * (1 - momentum)``.
        epsilon: added to the variance. It, ``momentum`` and ``renorm_momentum`` may be K.variables, which stay live.
        center, scale: whether there is an offset (beta) and a scale (gamma).
        beta_initializer, ..., gamma_constraint: of the weights, as those of
            :class:`kbackend.layers.Dense`.
        renorm: whether training corrects the statistics of the batch towards moving ones of their own.
        renorm_clipping: limits "rmin", "rmax" and "dmax" of the corrections.
        renorm_momentum: of the moving statistics for the corrections.
        synchronized: whether the processes of a distributed model share their statistics, as with
            ``DataParallel(sync_batch_norm=True)``; one process alone has them all.

    A mask (batch, ..., without the features) leaves elements out of the statistics of the batch.

    Shapes: any of rank 2 or more, to the same.

    Weights: gamma, beta, moving_mean, moving_variance, each (features,); the last two are not trainable. With
    ``renorm`` moving_stddev, renorm_mean and renorm_stddev follow.

    Raises:
        TypeError: an axis that is no integer.
        ValueError: an axis that is no feature axis or of unknown size; a number out of its range; a mask of
            another rank.

    Source: Ioffe and Szegedy 2015; renorm: Ioffe 2017.

    >>> from kbackend import Input, layers
    >>> layers.BatchNormalization()(Input((5, 8))).shape
    (None, 5, 8)
    """

    arguments = (
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        "renorm",
        "renorm_clipping",
        "renorm_momentum",
        "synchronized",
    )
    hyperparameters = ("momentum", "epsilon", "renorm_momentum")
    supports_masking = True
    moving_mean_initializer: Any
    moving_variance_initializer: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int):
            raise TypeError(f"{described(self)}: axis must be an integer, it is {axis!r}")
        label = described(self)
        self.axis, self.momentum = axis, scalar(momentum, "momentum", label, 0)
        self.epsilon = scalar(epsilon, "epsilon", label, 0)
        self.center, self.scale, self.synchronized = center, scale, synchronized
        set_roles(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.renorm, self.renorm_momentum = renorm, scalar(renorm_momentum, "renorm_momentum", label, 0)
        self.renorm_clipping = checked_clipping(renorm_clipping, described(self))
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis in (0, -rank):
            raise ValueError(f"axis {self.axis} is not a feature axis of an input of shape {input_shape}")
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(f"axis {self.axis} of the input must be known, the shape is {input_shape}")
        self.gamma = self._vector("gamma", size) if self.scale else None
        self.beta = self._vector("beta", size) if self.center else None
        self.moving_mean = self._vector("moving_mean", size, trainable=False)
        self.moving_variance = self._vector("moving_variance", size, trainable=False)
        if self.renorm:
            self._add_renorm_statistics(size)
        self.input_spec = InputSpec(min_ndim=2, axes={self.axis: size})

    def _vector(self, name: str, size: int, **options: Any) -> Any:
        """A weight that stays float32 where the layer computes in 16 bits: its ops compute in float32 too."""
        return self.add_weight(name, (size,), autocast=False, **options)

    def _add_renorm_statistics(self, size: int) -> None:
        def deviation(shape: Any, dtype: Any = None) -> Any:
            return K.sqrt(self.moving_variance_initializer(shape, dtype))

        def statistic(name: str, initializer: Any) -> Any:
            return self._vector(name, size, initializer=initializer, trainable=False)

        self.moving_stddev = statistic("moving_stddev", deviation)
        self.renorm_mean = statistic("renorm_mean", self.moving_mean_initializer)
        self.renorm_stddev = statistic("renorm_stddev", deviation)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        phase = K.learning_phase() if training is None else training
        if not isinstance(phase, Tensor) and not phase:
            return self._by_moving_averages(inputs)
        resting = self._by_moving_averages(inputs)
        result = K.in_train_phase(self._by_batch(inputs, mask), resting, phase)
        self._when_frozen(result, resting)
        return result

    def _by_batch(self, inputs: Any, mask: Any) -> Any:
        """The inputs normalized by their own statistics; adds the updates of the moving averages."""
        axes = [a for a in range(inputs.ndim) if a != self.axis % inputs.ndim]
        gamma, beta, epsilon = self.gamma, self.beta, self.epsilon
        fused = mask is None and not isinstance(epsilon, Tensor)
        if fused:
            normed, mean, variance = K.normalize_batch_in_training(inputs, gamma, beta, axes, epsilon)
        elif mask is None:
            _, mean, variance = K.normalize_batch_in_training(inputs, None, None, axes)
        else:
            mean, variance = moments(inputs, mask, axes)
        if self.renorm:
            gamma, beta = self._corrected(mean, variance)
        self._move(_Unempty(inputs, axes), mean, variance)
        if fused and not self.renorm:
            return normed
        return self._normalized(inputs, mean, variance, beta, gamma)

    def _normalized(self, inputs: Any, mean: Any, variance: Any, beta: Any, gamma: Any) -> Any:
        epsilon = self.epsilon
        if isinstance(epsilon, Tensor):  # the op takes a number
            variance, epsilon = variance + epsilon, 0.0
        return K.batch_normalization(inputs, mean, variance, beta, gamma, self.axis, epsilon)

    def _move(self, unempty: _Unempty, mean: Any, variance: Any) -> None:
        kept = unempty(self.momentum, 1.0)
        new = 1 - kept
        moved = [K.update(self.moving_mean, self.moving_mean * kept + mean * new)]
        if self.renorm:
            moved += self._moved_by_deviation(unempty, mean, variance)
        else:
            moved.append(K.update(self.moving_variance, self.moving_variance * kept + variance * new))
        self.add_update(moved)

    def _moved_by_deviation(self, unempty: _Unempty, mean: Any, variance: Any) -> list[Any]:
        deviation = K.sqrt(variance + self.epsilon)
        kept = self.moving_stddev * self.momentum + deviation * (1.0 - self.momentum)
        momentum = unempty(self.renorm_momentum, 1.0)
        return [
            K.moving_average_update(self.renorm_mean, mean, momentum),
            K.moving_average_update(self.renorm_stddev, deviation, momentum),
            K.update(self.moving_stddev, unempty(kept, self.moving_stddev)),
            K.update(self.moving_variance, unempty(K.relu(kept * kept - self.epsilon), self.moving_variance)),
        ]

    def _corrected(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """Scale and offset that correct the statistics of the batch: ``(x * r + d) * gamma + beta``."""
        root = K.sqrt(self.epsilon) if isinstance(self.epsilon, Tensor) else self.epsilon**0.5
        least = K.maximum(self.renorm_stddev, root)
        limits = self.renorm_clipping or {}
        r, d = K.sqrt(variance + self.epsilon) / least, (mean - self.renorm_mean) / least
        r = K.maximum(r, limits["rmin"]) if "rmin" in limits else r
        r = K.minimum(r, limits["rmax"]) if "rmax" in limits else r
        d = K.clip(d, -limits["dmax"], limits["dmax"]) if "dmax" in limits else d
        r, d = K.stop_gradient(r), K.stop_gradient(d)
        scale, offset = (r, d) if self.gamma is None else (r * self.gamma, d * self.gamma)
        return scale, offset if self.beta is None else offset + self.beta

    def _by_moving_averages(self, inputs: Any) -> Any:
        return self._normalized(inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma)


class _Unempty:
    """Chooses between two values: one for an empty batch, which leaves the moving averages as they are.

    Args:
        inputs: the batch.
        axes: those that its statistics are taken over.
    """

    def __init__(self, inputs: Any, axes: Sequence[int]) -> None:
        sizes = [inputs.shape[a] for a in axes]
        self._filled: Any = cast(extent(inputs, tuple(axes)), "bool") if None in sizes else all(sizes)

    def __call__(self, value: Any, of_empty: Any) -> Any:
        if isinstance(self._filled, bool):
            return value if self._filled else of_empty
        return select_elements(self._filled, value, of_empty)


def checked_clipping(value: Any, label: str) -> dict[str, float] | None:
    """The limits of the corrections of renorm.

    Raises:
        ValueError: other names than rmin, rmax and dmax, or limits of which one leaves out another.
    """
    if value is None:
        return None
    found = mapping(value, "renorm_clipping", label)
    unknown = sorted(set(found) - {"rmin", "rmax", "dmax"})
    low, high, shift = found.get("rmin", 0.0), found.get("rmax", float("inf")), found.get("dmax", 0.0)
    if unknown or not 0 <= low <= high or shift < 0:
        raise ValueError(
            f"{label}: renorm_clipping may hold 'rmin', 'rmax' and 'dmax', with 0 <= rmin <= rmax and dmax from 0 on, "
            f"it is {value!r}"
        )
    return found


def moments(inputs: Any, mask: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Mean and biased variance over axes, of the elements that a mask (without the last dimension) counts.

    Raises:
        ValueError: a mask of another rank.
    """
    if mask.ndim != inputs.ndim - 1:
        raise ValueError(
            f"the mask must have one dimension less than the inputs {inputs.shape}, its shape is {mask.shape}"
        )
    x = as_dtype(inputs, wide_dtype(inputs.dtype))
    counted = K.ones_like(x) * K.cast(K.expand_dims(mask, -1), x.dtype)
    count = K.sum(counted, axis=list(axes), keepdims=True) + config.epsilon()
    mean = K.sum(x * counted, axis=list(axes), keepdims=True) / count
    variance = K.sum(K.square((x - mean) * counted), axis=list(axes), keepdims=True) / count
    return K.reshape(mean, (-1,)), K.reshape(variance, (-1,))


__all__ = ["BatchNormalization"]
