"""Layers whose weight can be stored as integers of 8 bits, by the largest magnitude of each output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.graph.node import name_scope
from kbackend.graph.variable import assign_all
from kbackend.layers.arguments import described
from kbackend.layers.base.inside import revise
from kbackend.layers.low_rank import LowRank
from kbackend.ops.control.custom_gradient import custom_gradient
from kbackend.ops.linalg.dense import dense

_MODE = "int8"
_LARGEST = 127
_EPSILON = 1e-7
#: sums of products of two integers of 8 bits below this are exact in float32
_EXACT = 1 << 24
_REASONS = {
    "int4": "two integers of 4 bits are stored in one byte there, and no engine computes with them: it saves memory "
    "alone; use 'int8'",
    "float8": "no engine of kbackend computes in float8 on a CPU, and Keras trains its scales outside of gradients; "
    "use 'int8'",
    "gptq": "it needs calibration on data of a language model; use 'int8'",
    "awq": "it needs calibration on data of a language model; use 'int8'",
}


class AbsMaxQuantizer:
    """Integers of 8 bits by the largest magnitude along some axes.

    Args:
        axis: the axes that share a scale; those that the layer reduces when None.
        value_range: the least and largest integer.
        epsilon: added to the magnitude.
        output_dtype: 'int8'.

    Raises:
        ValueError: a range past 8 bits, or another dtype.

    >>> from kbackend import K, layers
    >>> integers, scale = layers.AbsMaxQuantizer()(K.constant([[0.25, -1.0]]))
    >>> K.eval(integers).tolist(), K.eval(scale).round(3).tolist()
    ([[32, -127]], [[127.0]])
    """

    def __init__(
        self, axis: Any = None, value_range: Sequence[int] = (-_LARGEST, _LARGEST), epsilon: float = _EPSILON,
        output_dtype: str = _MODE,
    ) -> None:  # fmt: skip
        low, high = (int(v) for v in value_range)
        if output_dtype != _MODE or not -128 <= low < high <= _LARGEST:
            raise ValueError(
                f"a quantizer makes int8 in a range within [-128, 127], not {output_dtype!r} in {tuple(value_range)}"
            )
        self.axis = None if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (int(axis),)
        self.value_range, self.epsilon, self.output_dtype = (low, high), float(epsilon), output_dtype

    def __call__(self, x: Any, axis: Any = None) -> tuple[Any, Any]:
        """The integers of a tensor, and the scale by which it was multiplied, with axes of 1."""
        axes = axis if axis is not None else self.axis if self.axis is not None else -1
        low, high = self.value_range
        scale = high / (K.max(K.abs(x), axis=axes, keepdims=True) + self.epsilon)
        return K.cast(K.clip(K.round(x * scale), low, high), self.output_dtype), scale

    def of_array(self, x: np.ndarray, axis: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """The same of an array."""
        low, high = self.value_range
        axes = axis if self.axis is None else self.axis
        largest = np.max(np.abs(x), axis=axes, keepdims=True)
        scale = (high / (largest + np.asarray(self.epsilon, x.dtype))).astype(x.dtype)
        return np.clip(np.round(x * scale), low, high).astype(self.output_dtype), scale

    def get_config(self) -> dict[str, Any]:
        found: dict[str, Any] = {"value_range": list(self.value_range), "epsilon": self.epsilon,
                                 "output_dtype": self.output_dtype}  # fmt: skip
        return found if self.axis is None else found | {"axis": list(self.axis)}


class Int8QuantizationConfig:
    """How a layer is quantized to 8 bits.

    Args:
        weight_quantizer: of the weight; an :class:`AbsMaxQuantizer` over the axes that the layer reduces when None.
        activation_quantizer: of the inputs; 'default' for an :class:`AbsMaxQuantizer`, None to leave them in floats.

    >>> from kbackend import layers
    >>> layers.Int8QuantizationConfig(activation_quantizer=None).mode
    'int8'
    """

    mode = _MODE

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = AbsMaxQuantizer() if activation_quantizer == "default" else activation_quantizer

    def get_config(self) -> dict[str, Any]:
        parts = {"weight_quantizer": self.weight_quantizer, "activation_quantizer": self.activation_quantizer}
        return {
            key: None if part is None else {"class_name": "AbsMaxQuantizer", "config": part.get_config()}
            for key, part in parts.items()
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Int8QuantizationConfig:
        return cls(**{key: _read(value, {"AbsMaxQuantizer": AbsMaxQuantizer}) for key, value in config.items()})


def _read(value: Any, kinds: Mapping[str, Any]) -> Any:
    """An object from its configuration, by the name of its class.

    Raises:
        ValueError: an unknown class.
    """
    if not isinstance(value, Mapping):
        return value
    name = str(value.get("class_name"))
    if name not in kinds:
        raise ValueError(f"unknown {name!r} in a configuration of quantization; known are {', '.join(kinds)}")
    config = value.get("config") or {}
    return kinds[name].from_config(config) if hasattr(kinds[name], "from_config") else kinds[name](**config)


class Quantized(LowRank):
    """Base class of layers with ``quantize``.

    Attributes:
        quantization_mode: 'int8', or None.
        quantization_config: an :class:`Int8QuantizationConfig`, or None.
    """

    quantization_config: Any = None
    #: whether ``call`` of this very class knows quantized weights
    _quantizable = False

    def __init__(self, dtype: Any = None, **kwargs: Any) -> None:
        mode, source = _mode_and_dtype(dtype)
        super().__init__(dtype=source, **kwargs)
        if mode is not None:
            _check_mode(self, mode)
        self.quantization_mode = mode

    @property
    def _of_known_kind(self) -> bool:
        return bool(vars(type(self)).get("_quantizable"))

    @property
    def may_be_quantized(self) -> bool:
        """Whether ``quantize`` can change the layer now."""
        return self._of_known_kind and self.built and self.quantization_mode is None

    def _set_quantization(self, config: Any) -> None:
        if config is None:
            self.quantization_config = None
            return
        label = described(self)
        config = _read(config, {"Int8QuantizationConfig": Int8QuantizationConfig})
        if not isinstance(config, Int8QuantizationConfig):
            raise ValueError(f"{label}: quantization_config must be an Int8QuantizationConfig, not {config!r}")
        self.quantization_config = config

    @property
    def _activations(self) -> Any:
        config = self.quantization_config
        return AbsMaxQuantizer() if config is None else config.activation_quantizer

    def _reduced_axes(self) -> tuple[int, ...]:
        """The axes of the weight that share a scale."""
        raise NotImplementedError

    def _scale_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the scale of a weight of a shape."""
        raise NotImplementedError

    def _stored_scale(self, scale: np.ndarray) -> np.ndarray:
        """The scale, which has axes of 1, in its shape as a weight."""
        return scale.reshape(self._scale_shape(getattr(self, self.adapted).shape))

    def _add_adapted(self, shape: Sequence[int], autocast: bool = True) -> None:
        """Make the weight, of floats, or of integers with their scale."""
        if self.quantization_mode is None:
            setattr(self, self.adapted, self.add_weight(self.adapted, shape, autocast=autocast))
            return
        options: dict[str, Any] = {"trainable": False, "regularizer": None, "constraint": None,
                                   "autocast": False}  # fmt: skip
        made = self.add_weight(self.adapted, shape, dtype=_MODE, initializer="zeros", **options)
        setattr(self, self.adapted, made)
        name = f"{self.adapted}_scale"
        setattr(self, name, self.add_weight(name, self._scale_shape(shape), initializer="ones", **options))

    def quantize(self, mode: str, type_check: bool = True, config: Any = None) -> None:
        """Store the weight as integers of 8 bits, which training does not change.

        Inputs are quantized too, by the largest magnitude of each sum, sums are exact, and the results are divided by
        both scales. Gradients are those of the weight that the integers stand for. Models that have the layer compute
        so from then on.

        Args:
            mode: 'int8'.
            type_check: refuse subclasses, whose ``call`` may not know of integers.
            config: an :class:`Int8QuantizationConfig`.

        Raises:
            NotImplementedError: another mode of Keras, or a subclass.
            ValueError: the layer is not built or is quantized already, or an unknown mode.

        Source: the scheme of Keras 3.

        >>> from kbackend import Input, layers
        >>> layer = layers.Dense(3)
        >>> y = layer(Input((4,)))
        >>> layer.quantize("int8")
        >>> [(w.shape, w.dtype) for w in layer.weights]
        [((3,), 'float32'), ((4, 3), 'int8'), ((3,), 'float32')]
        """
        label = described(self)
        _check_mode(self, mode)
        if type_check and not self._of_known_kind:
            raise NotImplementedError(f"{label}: quantize is for the layers of kbackend; type_check=False allows it")
        if not self.built:
            raise ValueError(f"{label}: call the layer on a tensor, or build it, before quantize")
        if self.quantization_mode is not None:
            raise ValueError(f"{label} is quantized to {self.quantization_mode} already")
        self._set_quantization(config)
        old = getattr(self, self.adapted)
        quantizer = getattr(self.quantization_config, "weight_quantizer", None) or AbsMaxQuantizer()
        integers, scale = quantizer.of_array(old.numpy(), self._reduced_axes())
        self._forget([old])
        self.quantization_mode = mode
        with name_scope(self.name):
            self._add_adapted(integers.shape)
        variables = [getattr(self, self.adapted), getattr(self, f"{self.adapted}_scale")]
        assign_all(variables, [integers, self._stored_scale(scale)])
        revise(self)

    def _product(
        self, x: Any, axes: Any, terms: int, aligned: Callable[[Any], Any], product: Callable[[Any, Any], Any],
        backward: Callable[[Any, Any], Any],
    ) -> Any:  # fmt: skip
        """The product of inputs and the quantized weight.

        Args:
            x: the inputs.
            axes: those of the inputs that are summed over.
            terms: how many products are added for one result.
            aligned: gives the scale of inputs, with axes of 1, the axes of results.
            product: of inputs and the weight.
            backward: the gradient with respect to inputs, from that of results and the weight.
        """
        weight = getattr(self, self.adapted)
        scale = K.cast(getattr(self, f"{self.adapted}_scale"), x.dtype)
        # sums of integers, in floats that hold them exactly: engines have no fast products of integers
        exact = "float32" if terms * _LARGEST**2 < _EXACT else "float64"

        @custom_gradient
        def computed(x: Any) -> Any:
            if self._activations is None:
                found, both = product(x, K.cast(weight, x.dtype)), scale
            else:
                integers, scale_of_x = self._activations(x, axes)
                found = K.cast(product(K.cast(integers, exact), K.cast(weight, exact)), x.dtype)
                both = scale * aligned(scale_of_x)
            return found / both, lambda upstream: backward(upstream / scale, K.cast(weight, x.dtype))

        y = computed(x)
        if self.lora_enabled:
            first, second = self._factors()
            change = product(x, K.cast(dense(first, second), x.dtype)) * self._lora_scale
            y = y + K.cast(change, y.dtype)
        return y

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        if self.quantization_mode is not None:
            found["dtype"] = f"{self.quantization_mode}_from_{self.dtype_policy.name}"
        if self.quantization_config is not None:
            config = self.quantization_config.get_config()
            found["quantization_config"] = {"class_name": "Int8QuantizationConfig", "config": config}
        return found


def _mode_and_dtype(dtype: Any) -> tuple[str | None, Any]:
    """The quantization mode and the dtype of 'int8_from_float32', and of Keras's configuration of it."""
    config: Any = dtype.get("config") if isinstance(dtype, Mapping) else None
    if config and "mode" in config:
        dtype = f"{config['mode']}_from_{config.get('source_name') or 'float32'}"
    name: Any = dtype
    if isinstance(name, str) and "_from_" in name:
        mode, _, source = name.partition("_from_")
        return mode.partition("/")[0], source
    return None, name


def _check_mode(layer: Any, mode: Any) -> None:
    if mode in _REASONS:
        raise NotImplementedError(f"{described(layer)} cannot be quantized to {mode}: {_REASONS[mode]}")
    if mode != _MODE:
        raise ValueError(f"{described(layer)}: the mode of quantization must be 'int8', it is {mode!r}")


__all__ = ["AbsMaxQuantizer", "Int8QuantizationConfig"]
