"""A dense layer over any axes, by an einsum equation."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend import backend as K
from kbackend.layers.arguments import activation_of, described, set_roles
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.core.quantized import Quantized
from kbackend.ops.arrays.reshape import squeeze
from kbackend.ops.linalg.einsum import einsum
from kbackend.runtime.foreign import apply


class EinsumDense(Quantized):
    """``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: such as ``"abc,cd->abd"``: the letters of the inputs, of the kernel and of the result. The first axis
            of the inputs is the batch. An ellipsis, in inputs and result, stands for further axes; on the left,
            ``"...c,cd->...d"``, it includes the batch.
        output_shape: the sizes of the result without the batch and without the axes of an ellipsis: an integer or
            several, None for sizes that the inputs have.
        activation: a name or a function; none when None.
        bias_axes: the letters of the result along which the bias differs, such as ``"d"``; no bias when None.
        kernel_initializer, ..., quantization_config: for the weights, as of :class:`kbackend.layers.Dense`.

    Shapes: as the equation says. Weights: kernel, of the sizes of its letters; bias, of the sizes of ``bias_axes``,
    with 1 for letters of the result that stand between or after them.

    Raises:
        ValueError: an equation that is none, or sizes that do not fit.

    >>> from kbackend import Input, layers
    >>> layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d")(Input((5, 4))).shape
    (None, 5, 6)
    """

    arguments = (
        "equation",
        "output_shape_argument",
        "activation",
        "bias_axes",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )
    kernel: Any
    _quantizable = True
    _modes = (*Quantized._modes, "float8")

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.equation = equation
        self._terms = _terms(equation, described(self))
        given = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
        self.output_shape_argument = tuple(given)
        self.activation = activation_of(self, activation)
        self.bias_axes = bias_axes
        set_roles(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self._set_rank(lora_rank, lora_alpha)
        self._set_quantization(quantization_config)

    def build(self, input_shape: Any) -> None:
        inputs, kernel, result = self._terms.opened(len(input_shape))
        sizes = _sizes(inputs, input_shape, result, self._result_sizes(inputs, input_shape, result))
        self._letters = inputs, kernel, result
        self._add_adapted([_known(letter, sizes, "kernel") for letter in kernel])
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight("bias", self._bias_shape(result, sizes))
        self._add_float8()
        self._add_rank()
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _reduced_axes(self) -> tuple[int, ...]:
        _, kernel, result = self._letters
        return tuple(axis for axis, letter in enumerate(kernel) if letter not in result)

    def _scale_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """That of the result, with 1 for what the kernel does not have."""
        _, kernel, result = self._letters
        sizes = dict(zip(kernel, shape))
        return tuple(sizes.get(letter, 1) for letter in result)

    def _stored_scale(self, scale: np.ndarray) -> np.ndarray:
        _, kernel, result = self._letters
        kept = [letter for letter in kernel if letter in result]
        order = sorted(range(len(kept)), key=lambda place: result.index(kept[place]))
        held: np.ndarray = np.squeeze(scale, self._reduced_axes()).transpose(order)
        return held.reshape(*self._scale_shape(self.kernel.shape))

    def _matrix_shape(self, shape: Sequence[int]) -> tuple[int, int]:
        """Rows and columns as Keras makes them: as many as what is summed and what is kept, in the order of memory."""
        rows = math.prod(shape[axis] for axis in self._reduced_axes())
        return rows, math.prod(shape) // rows

    def _of_result(self, scale: Any) -> Any:
        """The scale of inputs, with axes of 1 for what is summed, with the axes of the result."""
        inputs, _, result = self._letters
        kept = [letter for letter in inputs if letter in result]
        ordered = sorted(kept, key=result.index)
        held = squeeze(scale, tuple(a for a, letter in enumerate(inputs) if letter not in result))
        held = K.permute_dimensions(held, [kept.index(letter) for letter in ordered])
        return held[tuple(slice(None) if letter in kept else None for letter in result)]

    def _quantized_call(self, inputs: Any) -> Any:
        of_inputs, kernel, result = self._letters
        axes = tuple(axis for axis, letter in enumerate(of_inputs) if letter not in result)
        terms = math.prod(self._adapted_shape[axis] for axis in self._reduced_axes())
        equation, back = f"{of_inputs},{kernel}->{result}", f"{result},{kernel}->{of_inputs}"
        return self._product(inputs, axes, terms, self._of_result, lambda x, w: einsum(equation, x, w),
                             lambda g, w: einsum(back, g, w))

    def _result_sizes(self, inputs: str, input_shape: Sequence[int | None], result: str) -> list[int | None]:
        """The sizes of the result: those of the batch and of an ellipsis are the inputs', the others are given."""
        of_inputs = dict(zip(inputs, input_shape))
        shared = self._terms.elided(len(input_shape)) or result[:1]
        given = iter(self.output_shape_argument)
        wanted = len(result) - len(shared) - (bool(shared) and result[0] not in shared)
        if len(self.output_shape_argument) != wanted:
            raise ValueError(
                f"output_shape must hold {wanted} sizes for the equation {self.equation!r}, it is "
                f"{self.output_shape_argument}"
            )
        return [of_inputs.get(c) if c in shared or place == 0 else next(given) for place, c in enumerate(result)]

    def _bias_shape(self, result: str, sizes: Mapping[str, int | None]) -> list[int]:
        axes = self.bias_axes or ""
        if unknown := set(axes) - set(result):
            raise ValueError(f"bias_axes {axes!r} holds {sorted(unknown)}, the result of {self.equation!r} does not")
        start = min(result.index(letter) for letter in axes)
        return [_known(letter, sizes, "bias") if letter in axes else 1 for letter in result[start:]]

    def call(self, inputs: Any) -> Any:
        if self.quantization_mode is None:
            y = einsum(self.equation, inputs, self._adapted_weight(self.kernel))
        elif self.quantization_mode == "float8":
            product = self._float8_result(inputs, lambda x, w: einsum(self.equation, x, w))
            return apply(self.activation, product)
        else:
            y = self._quantized_call(inputs)
        return apply(self.activation, y if self.bias is None else y + self.bias)

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        return found | {"output_shape": found.pop("output_shape_argument")}


class _Terms(NamedTuple):
    """The letters of inputs, kernel and result; an ellipsis is kept."""

    inputs: str
    kernel: str
    result: str

    def elided(self, rank: int) -> str:
        """Letters of its own for the axes that the ellipsis stands for in inputs of a rank."""
        if "..." not in self.inputs:
            return ""
        free = [c for c in string.ascii_letters if c not in "".join(self)]
        return "".join(free[: rank - len(self.inputs) + len("...")])

    def opened(self, rank: int) -> tuple[str, str, str]:
        """The terms with letters for the ellipsis."""
        letters = self.elided(rank)
        inputs = self.inputs.replace("...", letters)
        if len(inputs) != rank:
            raise ValueError(f"the equation is for inputs of rank {len(inputs)}, {','.join(self[:2])}->{self.result}")
        return inputs, self.kernel, self.result.replace("...", letters)


def _terms(equation: str, label: str) -> _Terms:
    operands, arrow, result = str(equation).replace(" ", "").partition("->")
    parts = operands.split(",")
    letters = [part.replace("...", "") for part in (*parts, result)]
    dotted = ["..." in part for part in (*parts, result)]
    plain = all(part.isalpha() and len(set(part)) == len(part) for part in letters)
    if not (arrow and len(parts) == 2 and plain and dotted[0] == dotted[-1] and not dotted[1]):
        raise ValueError(
            f"{label}: the equation must be of the form 'abc,cd->abd', with an ellipsis at most in both inputs and "
            f"result, it is {equation!r}"
        )
    return _Terms(parts[0], parts[1], result)


def _sizes(
    inputs: str, input_shape: Sequence[int | None], result: str, result_shape: Sequence[int | None]
) -> dict[str, int | None]:
    """The size of each letter.

    Raises:
        ValueError: a letter has one size in the inputs and another one in the result.
    """
    found: dict[str, int | None] = dict(zip(inputs, input_shape))
    for letter, size in zip(result, result_shape):
        if None not in (size, found.get(letter)) and size != found[letter]:
            raise ValueError(
                f"the axis {letter!r} has size {found[letter]} in the inputs and {size} in output_shape"
            )
        found[letter] = size if found.get(letter) is None else found[letter]
    return found


def _known(letter: str, sizes: Mapping[str, int | None], weight: str) -> int:
    size = sizes.get(letter)
    if size is None:
        raise ValueError(f"the axis {letter!r} of the {weight} has no known size; give it in output_shape")
    return size


__all__ = ["EinsumDense"]
