"""Layers whose weight can be stored as integers of 8 or 4 bits, or that train with products of floats of 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.dtype_policies import DTypePolicy
from kbackend.graph.node import name_scope
from kbackend.graph.variable import assign_all
from kbackend.layers.arguments import described
from kbackend.layers.base.inside import revise
from kbackend.layers.core import eight_bit_floats
from kbackend.layers.core.four_bits import in_blocks, of_blocks, packed, unpacked
from kbackend.layers.core.quantizers import (
    CONFIGS,
    RANGE_4,
    AbsMaxQuantizer,
    Int4QuantizationConfig,
    QuantizationConfig,
    read_config,
)
from kbackend.layers.low_rank import LowRank
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.control.custom_gradient import custom_gradient
from kbackend.ops.linalg.dense import dense

_LARGEST = 127
#: sums of products of two integers of 8 bits below this are exact in float32
_EXACT = 1 << 24
_NO_ADAPTER = "{} cannot have an adapter (LoRA) and compute in float8, as in Keras"
_REASONS = {
    "gptq": "it needs calibration on data of a language model; use 'int4'",
    "awq": "it needs calibration on data of a language model; use 'int4'",
}


class Quantized(LowRank, inner=True):
    """Base class of layers with ``quantize``.

    Attributes:
        quantization_mode: 'int8', 'int4', 'float8', or None.
        quantization_config: an :class:`Int8QuantizationConfig` or :class:`Int4QuantizationConfig`, or None.
    """

    quantization_config: Any = None
    #: whether ``call`` of this very class knows quantized weights
    _quantizable = False
    #: the modes that it knows
    _modes: tuple[str, ...] = ("int8", "int4")

    def __init__(self, dtype: Any = None, **kwargs: Any) -> None:
        mode, block, source = _mode_and_dtype(dtype)
        super().__init__(dtype=source, **kwargs)
        if mode is not None:
            _check_mode(self, mode)
        self.quantization_mode = mode
        self._block_size = _block_size(self, block) if mode != "float8" else None
        self._history = _history(self, block) if mode == "float8" else eight_bit_floats.HISTORY
        self._floats_shape: tuple[int, ...] = ()

    @property
    def _of_known_kind(self) -> bool:
        return bool(vars(type(self)).get("_quantizable"))

    @property
    def may_be_quantized(self) -> bool:
        """Whether ``quantize`` can change the layer now."""
        return self._of_known_kind and self.built and self.quantization_mode is None

    def may_be_of(self, mode: str) -> bool:
        """Whether the layer knows a mode that other layers know; of any other ``quantize`` says what is wrong."""
        return mode != "float8" or mode in self._modes

    def _set_quantization(self, config: Any) -> None:
        if config is None or self.quantization_mode == "float8" and _is_of_float8(config):
            self.quantization_config = None
            return
        label = described(self)
        found: Any = read_config(config, {kind.__name__: kind for kind in CONFIGS.values()})
        if not isinstance(found, QuantizationConfig):
            names = " or ".join(kind.__name__ for kind in CONFIGS.values())
            raise ValueError(f"{label}: quantization_config must be an {names}, not {found!r}")
        if self.quantization_mode not in (None, found.mode):
            raise ValueError(f"{label} is of {self.quantization_mode}, quantization_config is of {found.mode}")
        self.quantization_config = found
        if isinstance(found, Int4QuantizationConfig):
            self._block_size = found.block_size

    @property
    def _activations(self) -> Any:
        config = self.quantization_config
        if config is None:
            return AbsMaxQuantizer() if self.quantization_mode == "int8" else None
        return config.activation_quantizer

    def _reduced_axes(self) -> tuple[int, ...]:
        """The axes of the weight that share a scale."""
        raise NotImplementedError

    def _scale_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the scale of a weight of a shape."""
        raise NotImplementedError

    def _stored_scale(self, scale: np.ndarray) -> np.ndarray:
        """The scale, which has axes of 1, in its shape as a weight."""
        return scale.reshape(self._scale_shape(getattr(self, self.adapted).shape))

    def _set_rank(self, rank: Any, alpha: Any) -> None:
        if rank is not None and self.quantization_mode == "float8":
            raise NotImplementedError(_NO_ADAPTER.format(described(self)))
        super()._set_rank(rank, alpha)

    # integers of 4 bits lie in a matrix

    #: the axis of the matrix that one sum reads, which blocks divide
    _summed = 0

    def _matrix_shape(self, shape: Sequence[int]) -> tuple[int, int]:
        """The rows and columns in which a weight of a shape lies."""
        rows, columns = shape
        return rows, columns

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        return self._floats_shape or super()._adapted_shape

    def _add_adapted(self, shape: Sequence[int], autocast: bool = True) -> None:
        """Make the weight, of floats, or of integers with their scale."""
        if self.quantization_mode in (None, "float8"):
            setattr(self, self.adapted, self.add_weight(self.adapted, shape, autocast=autocast))
            return
        options: dict[str, Any] = {"trainable": False, "regularizer": None, "constraint": None,
                                   "autocast": False}  # fmt: skip
        self._floats_shape = tuple(shape)
        if self.quantization_mode == "int4":
            return self._add_four_bits(self._matrix_shape(shape), options)
        made = self.add_weight(self.adapted, shape, dtype="int8", initializer="zeros", **options)
        setattr(self, self.adapted, made)
        name = f"{self.adapted}_scale"
        setattr(self, name, self.add_weight(name, self._scale_shape(shape), initializer="ones", **options))

    def _add_four_bits(self, matrix: tuple[int, int], options: Mapping[str, Any]) -> None:
        rows, columns = matrix
        axis, block = self._summed, self._block_size
        shape = (rows, -(-columns // 2))
        setattr(self, self.adapted, self.add_weight(self.adapted, shape, dtype="int8", initializer="zeros", **options))
        scale, zero = f"{self.adapted}_scale", f"{self.adapted}_zero"
        if block is None:
            setattr(self, scale, self.add_weight(scale, (matrix[1 - axis],), initializer="ones", **options))
            return
        shape = (-(-rows // block), columns) if axis == 0 else (rows, -(-columns // block))
        setattr(self, scale, self.add_weight(scale, shape, initializer="ones", **options))
        setattr(self, zero, self.add_weight(zero, shape, dtype="int8", initializer="zeros", **options))
        numbers = _block_numbers(matrix[axis], block)
        start = lambda shape, dtype=None: K.constant(numbers)  # noqa: E731
        self.g_idx = self.add_weight("g_idx", numbers.shape, dtype="float32", initializer=start, **options)

    def _stored(self) -> list[Any]:
        """The weight and what belongs to its integers, in Keras's order."""
        if self.quantization_mode == "float8":
            return [getattr(self, self.adapted), *self._float8_states()]
        names = [self.adapted, f"{self.adapted}_scale"]
        if self.quantization_mode == "int4" and self._block_size is not None:
            names += [f"{self.adapted}_zero", "g_idx"]
        return [getattr(self, name) for name in names]

    def _add_float8(self) -> None:
        """Make the scales and histories of floats of 8 bits, at the end of ``build``; training gives them their next
        values in the place of gradients."""
        if self.quantization_mode != "float8":
            return
        options: dict[str, Any] = {"dtype": "float32", "regularizer": None, "constraint": None, "autocast": False}
        for name in self._float8_names():
            history = name.endswith("history")
            shape, start = ((self._history,), "zeros") if history else ((), "ones")
            made = self.add_weight(name, shape, initializer=start, **options)
            made.overwrite_with_gradient = True
            setattr(self, name, made)

    def _float8_names(self) -> list[str]:
        parts = ("inputs", self.adapted, "outputs_grad")
        return [f"{part}_{kind}" for part in parts for kind in ("scale", "amax_history")]

    def _float8_states(self) -> list[Any]:
        return [getattr(self, name) for name in self._float8_names()]

    def _float8_result(self, x: Any, product: Callable[[Any, Any], Any]) -> Any:
        """The product of inputs and weight in floats of 8 bits, with the bias."""
        y = eight_bit_floats.product(x, getattr(self, self.adapted), self._float8_states(), product)
        bias: Any = getattr(self, "bias", None)
        return y if bias is None else y + eight_bit_floats.of_bias(bias)

    def _four_bits_of(self, array: np.ndarray, config: Any) -> list[np.ndarray]:
        matrix = array.reshape(self._matrix_shape(array.shape))
        if self._block_size is None:
            quantizer = getattr(config, "weight_quantizer", None) or AbsMaxQuantizer(value_range=RANGE_4)
            integers, scale = quantizer.of_array(matrix, (self._summed,))
            return [packed(integers), scale.reshape(-1)]
        parts = in_blocks(matrix if self._summed == 0 else matrix.T, self._block_size)
        integers, scale, zero = parts if self._summed == 0 else (part.T for part in parts)
        return [packed(integers), scale, zero, _block_numbers(matrix.shape[self._summed], self._block_size)]

    def _floats_of(self, both: Any, scale: Any, zero: Any = None, numbers: Any = None) -> Any:
        """The floats that rows of bytes stand for."""
        integers = unpacked(both, self._matrix_shape(self._floats_shape)[1])
        if zero is not None:
            return of_blocks(integers, scale, zero, numbers, 0 if self._summed == 0 else -1)
        return K.cast(integers, scale.dtype) / (scale if self._summed == 0 else K.expand_dims(scale, -1))

    def quantize(self, mode: str, type_check: bool = True, config: Any = None) -> None:
        """Store the weight as integers of 8 or 4 bits, which training does not change, or train in floats of 8 bits.

        Of 8 bits, inputs are quantized too, by the largest magnitude of each sum, sums are exact, and the results are
        divided by both scales. Of 4 bits, two integers share a byte, every 128 elements that a sum reads have a scale
        and a zero point, and the layer computes with the floats that they stand for. Gradients are those of the weight
        that the integers stand for. Models that have the layer compute so from then on.

        With 'float8', for Dense and EinsumDense, the weight stays as it is and is trained. Products are those of
        numbers that floats of 8 bits hold, times scales: 4 bits of exponent and 3 of fraction for inputs and weight, 5
        and 2 for gradients. Six more weights hold the three scales and the largest magnitudes of the last 1024 steps,
        from which a training step makes the next scales. No engine computes in such floats on a CPU, so it is slower.

        Args:
            mode: 'int8', 'int4' or 'float8'.
            type_check: refuse subclasses, whose ``call`` may not know of integers.
            config: an :class:`Int8QuantizationConfig` or :class:`Int4QuantizationConfig`; the usual one when None.

        Raises:
            NotImplementedError: another mode of Keras, a subclass, or 'float8' of a layer with an adapter (LoRA).
            ValueError: the layer is not built or is quantized already, an unknown mode, or a configuration for float8.

        Source: the scheme of Keras 3; for float8 Micikevicius et al., "FP8 Formats for Deep Learning", 2022.

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
        if mode == "float8":
            return self._train_in_float8(config)
        kept = Int4QuantizationConfig() if config is None and mode == "int4" else config
        self._set_quantization(kept)
        if self.quantization_config is not None and self.quantization_config.mode != mode:
            kind, self.quantization_config = type(self.quantization_config).__name__, None
            raise ValueError(f"{label}: the mode is {mode!r}, the configuration an {kind}")
        old = getattr(self, self.adapted)
        array = old.numpy()
        self._forget([old])
        self.quantization_mode = mode
        with name_scope(self.name):
            self._add_adapted(array.shape)
        assign_all(self._stored(), self._integers_of(array))
        revise(self)

    def _train_in_float8(self, config: Any) -> None:
        if config is not None:
            raise ValueError(f"{described(self)}: float8 has no configuration, it was given {config!r}")
        if self.lora_enabled:
            raise NotImplementedError(_NO_ADAPTER.format(described(self)))
        self.quantization_mode = "float8"
        with name_scope(self.name):
            self._add_float8()
        revise(self)

    def _integers_of(self, array: np.ndarray) -> list[np.ndarray]:
        """The values of :meth:`_stored` for a weight of floats."""
        config = self.quantization_config
        if self.quantization_mode == "int4":
            return self._four_bits_of(array, config)
        quantizer = getattr(config, "weight_quantizer", None) or AbsMaxQuantizer()
        integers, scale = quantizer.of_array(array, self._reduced_axes())
        return [integers, self._stored_scale(scale)]

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
        if self.quantization_mode == "int4":
            floats = K.cast(reshape(self._floats_of(*self._stored()), self._floats_shape), x.dtype)
            return self._with_adapter(x, self._four_bits_product(x, axes, floats, aligned, product, backward), product)
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

        return self._with_adapter(x, computed(x), product)

    def _four_bits_product(
        self, x: Any, axes: Any, weight: Any, aligned: Callable[[Any], Any], product: Callable[[Any, Any], Any],
        backward: Callable[[Any, Any], Any],
    ) -> Any:  # fmt: skip
        """The product of inputs, quantized where there is a quantizer, and the floats of the weight."""
        if self._activations is None:
            return product(x, weight)

        @custom_gradient
        def computed(x: Any, weight: Any) -> Any:
            integers, scale = self._activations(x, axes)
            found = product(K.cast(integers, x.dtype), weight) / aligned(scale)
            return found, lambda upstream: (backward(upstream, weight), None)

        return computed(x, weight)

    def _with_adapter(self, x: Any, y: Any, product: Callable[[Any, Any], Any]) -> Any:
        if self.lora_enabled:
            first, second = self._factors()
            change = product(x, K.cast(dense(first, second), x.dtype)) * self._lora_scale
            y = y + K.cast(change, y.dtype)
        return y

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        if self.quantization_mode is not None:
            blocks = f"/{self._block_size or -1}" if self.quantization_mode == "int4" else ""
            if self.quantization_mode == "float8" and self._history != eight_bit_floats.HISTORY:
                blocks = f"/{self._history}"
            found["dtype"] = f"{self.quantization_mode}{blocks}_from_{self.dtype_policy.name}"
        if self.quantization_config is not None:
            config = self.quantization_config.get_config()
            found["quantization_config"] = {"class_name": type(self.quantization_config).__name__, "config": config}
        return found


def _mode_and_dtype(dtype: Any) -> tuple[str | None, str, Any]:
    """The quantization mode, the text of its block size or history and the dtype of 'int8_from_float32', of
    'int4/128_from_float32', 'float8/16_from_float32', and of Keras's configuration of them."""
    plain = isinstance(dtype, Mapping) and not isinstance(dtype, DTypePolicy)
    config: Any = dtype.get("config") if plain else None
    if config and "mode" in config:
        length = f"/{config['amax_history_length']}" if "amax_history_length" in config else ""
        dtype = f"{config['mode']}{length}_from_{config.get('source_name') or 'float32'}"
    name: Any = dtype
    if isinstance(name, str) and "_from_" in name:
        mode, _, source = name.partition("_from_")
        mode, _, block = mode.partition("/")
        return mode, block, source
    return None, "", name


def _block_size(layer: Any, text: str) -> int | None:
    """The block size of a dtype, None for -1 and for none."""
    if text in ("", "-1"):
        return None
    if layer.quantization_mode != "int4" or not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{described(layer)}: the dtype must be like 'int4/128_from_float32', not with {text!r}")
    return int(text)


def _is_of_float8(config: Any) -> bool:
    """Whether a configuration is the one that Keras's files have for float8, which holds nothing."""
    return isinstance(config, Mapping) and config.get("class_name") == "Float8QuantizationConfig"


def _history(layer: Any, text: str) -> int:
    """The length of the histories of a dtype, the usual one where it says none."""
    if text and (not text.isdecimal() or int(text) == 0):
        raise ValueError(f"{described(layer)}: the dtype must be like 'float8/16_from_float32', not with {text!r}")
    return int(text or eight_bit_floats.HISTORY)


def _block_numbers(count: int, size: int) -> np.ndarray:
    """The number of the block of each element."""
    return np.arange(count, dtype="float32") // size


def _check_mode(layer: Any, mode: Any) -> None:
    if mode in _REASONS:
        raise NotImplementedError(f"{described(layer)} cannot be quantized to {mode}: {_REASONS[mode]}")
    if mode not in layer._modes:
        known = " or ".join(map(repr, layer._modes))
        raise ValueError(f"{described(layer)}: the mode of quantization must be {known}, it is {mode!r}")


__all__: list[str] = []
