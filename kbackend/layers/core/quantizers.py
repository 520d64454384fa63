"""How weights become integers of few bits: quantizers and what says which ones a layer uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K

_BITS_8 = "int8"
_LARGEST = 127
EPSILON = 1e-7
#: the range of integers of 4 bits
RANGE_4 = (-8, 7)


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
        self, axis: Any = None, value_range: Sequence[int] = (-_LARGEST, _LARGEST), epsilon: float = EPSILON,
        output_dtype: str = _BITS_8,
    ) -> None:  # fmt: skip
        low, high = (int(v) for v in value_range)
        if output_dtype != _BITS_8 or not -128 <= low < high <= _LARGEST:
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


class QuantizationConfig:
    """The quantizers of weight and inputs, None for the usual one and for none."""

    mode: str
    weight_quantizer: Any
    activation_quantizer: Any

    def get_config(self) -> dict[str, Any]:
        parts = {"weight_quantizer": self.weight_quantizer, "activation_quantizer": self.activation_quantizer}
        return {
            key: None if part is None else {"class_name": "AbsMaxQuantizer", "config": part.get_config()}
            for key, part in parts.items()
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        return cls(**{key: read_config(value, {"AbsMaxQuantizer": AbsMaxQuantizer}) for key, value in config.items()})


class Int8QuantizationConfig(QuantizationConfig):
    """How a layer is quantized to 8 bits.

    Args:
        weight_quantizer: of the weight; an :class:`AbsMaxQuantizer` over the axes that the layer reduces when None.
        activation_quantizer: of the inputs; 'default' for an :class:`AbsMaxQuantizer`, None to leave them in floats.

    >>> from kbackend import layers
    >>> layers.Int8QuantizationConfig(activation_quantizer=None).mode
    'int8'
    """

    mode = _BITS_8

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = AbsMaxQuantizer() if activation_quantizer == "default" else activation_quantizer


class Int4QuantizationConfig(QuantizationConfig):
    """How a layer is quantized to 4 bits, two integers in a byte.

    Args:
        weight_quantizer: of the weight, without blocks; an :class:`AbsMaxQuantizer` of the range (-8, 7) when None.
        activation_quantizer: of the inputs, without blocks; None, and 'default', leave them in floats.
        block_size: how many of the elements that one sum reads share a scale and a zero point; None or -1 for one scale
            of all, and no zero point.

    Raises:
        ValueError: a block size of 0 or below -1, quantizers beside blocks, or another range.

    >>> from kbackend import layers
    >>> layers.Int4QuantizationConfig(block_size=32).mode
    'int4'
    """

    mode = "int4"

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = None if activation_quantizer == "default" else activation_quantizer
        if block_size is not None and block_size != -1 and block_size < 1:
            raise ValueError(f"block_size must be a number from 1 on, -1 or None, it is {block_size!r}")
        self.block_size = None if block_size == -1 else block_size
        if self.block_size is not None and (self.weight_quantizer or self.activation_quantizer):
            raise ValueError(
                f"blocks of {block_size} have scales and zero points of their own; quantizers need block_size=None"
            )
        if weight_quantizer is not None and tuple(weight_quantizer.value_range) != RANGE_4:
            raise ValueError(f"4 bits hold the range {RANGE_4}, the quantizer has {weight_quantizer.value_range}")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Int4QuantizationConfig:
        return super().from_config({"block_size": None, **config})


#: how a layer is quantized, by the mode
CONFIGS: dict[str, Any] = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig}


def read_config(value: Any, kinds: Mapping[str, Any]) -> Any:
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


__all__ = ["AbsMaxQuantizer", "Int4QuantizationConfig", "Int8QuantizationConfig"]
