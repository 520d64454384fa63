"""Initial values of weights. An initializer is a function of (shape, dtype) that gives a symbolic tensor.

The values come from the Philox stream (see :func:`kbackend.set_seed`) and are the same on every engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes, registry
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.initializers.base import Initializer
from kbackend.initializers.drawn import Drawn, drawn_later, taken_stream
from kbackend.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from kbackend.ops.core.leaves import constant as _constant
from kbackend.ops.random.normal import (
    random_normal as random_normal_op,
)
from kbackend.ops.random.normal import (
    truncated_normal as truncated_normal_op,
)
from kbackend.ops.random.uniform import random_uniform as random_uniform_op
from kbackend.runtime.evaluate import evaluate_on_reference


def _filled(shape: Sequence[int], value: Any, dtype: Any) -> Tensor:
    return _constant(np.broadcast_to(np.asarray(value), tuple(shape)), dtype or config.floatx())


class Zeros(Initializer):
    """All zeros.

    >>> from kbackend import K, initializers
    >>> K.eval(initializers.Zeros()((2,))).tolist()
    [0.0, 0.0]
    """

    value = 0

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return _filled(shape, 0, dtype)


class Ones(Initializer):
    """All ones.

    >>> from kbackend import K, initializers
    >>> K.eval(initializers.Ones()((2,))).tolist()
    [1.0, 1.0]
    """

    value = 1

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return _filled(shape, 1, dtype)


class Constant(Initializer):
    """One value, or an array that fits the shape.

    Args:
        value: a number, or an array of the shape of the weight.

    >>> from kbackend import K, initializers
    >>> K.eval(initializers.Constant(2)((2,))).tolist()
    [2.0, 2.0]
    """

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return _filled(shape, self.value, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"value": registry.plain(self.value)}


class RandomNormal(Drawn):
    """Normal draws, with the density ``exp(-(x - mean)**2 / (2 * stddev**2))`` up to a factor.

    Args:
        mean, stddev: of the distribution.
        seed: a seed for these draws alone; the process' stream when None.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.RandomNormal(stddev=0.1)((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.1)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def _distribution(self, shape: Sequence[int]) -> tuple[Callable[..., Tensor], Any, Any]:
        return random_normal_op, self.mean, self.stddev


class TruncatedNormal(RandomNormal):
    """Draws of :class:`RandomNormal` within ``|x - mean| <= 2 * stddev``.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.TruncatedNormal(stddev=0.1)((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.09)
    """

    def _distribution(self, shape: Sequence[int]) -> tuple[Callable[..., Tensor], Any, Any]:
        return truncated_normal_op, self.mean, self.stddev


class RandomUniform(Drawn):
    """Uniform draws with ``minval <= x < maxval``.

    Args:
        minval, maxval: the bounds; the upper one is not drawn.
        seed: as :class:`RandomNormal`.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.RandomUniform(0.0, 0.5)((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.14)
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def _distribution(self, shape: Sequence[int]) -> tuple[Callable[..., Tensor], Any, Any]:
        return random_uniform_op, self.minval, self.maxval


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, times ``gain``.

    The leading dimensions of shapes of rank above two are taken together.

    Args:
        gain: a number.
        seed: as :class:`RandomNormal`.

    Raises:
        ValueError: a shape of rank below two.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2013.

    >>> from kbackend import K, initializers
    >>> w = K.eval(initializers.Orthogonal()((3, 2)))
    >>> (w.T @ w).round(5).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(f"an orthogonal weight needs rank 2 or more, its shape is {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        if any(size < 0 for size in shape):
            raise ValueError(f"a shape must not have negative dimensions, it is {tuple(shape)}")
        stream = taken_stream(random_normal_op, self.seed)

        def value() -> np.ndarray:
            size = max(rows, columns), min(rows, columns)
            draw = random_normal_op(size, 0.0, 1.0, dtype="float64", seed=stream)
            matrix = _orthonormal_columns(evaluate_on_reference(draw))
            matrix = matrix if rows >= columns else matrix.T
            return (self.gain * matrix).reshape(shape)

        return Deferred(value, tuple(shape), dtypes.canonical(dtype or config.floatx()))


def _orthonormal_columns(matrix: np.ndarray) -> np.ndarray:
    """Q of the QR decomposition whose R has a positive diagonal, which makes it uniform and unique."""
    q, r = np.linalg.qr(matrix)
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


class Identity(Initializer):
    """``gain * (row == column)``: the identity matrix times a number.

    Args:
        gain: a number.

    Raises:
        ValueError: a shape that is not of rank two.

    >>> from kbackend import K, initializers
    >>> K.eval(initializers.Identity(gain=2.0)((2, 2))).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        if len(shape) != 2:
            raise ValueError(f"the identity initializer needs a shape of rank 2, it was given {tuple(shape)}")
        return _constant(self.gain * np.eye(shape[0], shape[1]), dtype or config.floatx())


class STFT(Initializer):
    """Kernels of a convolution that computes one part of a short-time Fourier transform.

    Args:
        side: 'real' or 'imag'.
        window: 'hann', 'hamming', 'blackman', 'bartlett', 'boxcar', the values of a window, or None for none.
        scaling: 'density' (the window has the L2 norm 1), 'spectrum' (the L1 norm 1), or None.
        periodic: whether the window is a period, not symmetric.

    Raises:
        ValueError: another name; a shape that is not (length, 1, bins); a window of another length.

    The shape is (length, 1, bins) for ``2 * (bins - 1)`` frequencies.

    >>> from kbackend import K, initializers
    >>> K.eval(initializers.STFT(window=None)((2, 1, 2))).round(4).tolist()
    [[[1.0, 1.0]], [[1.0, -1.0]]]
    """

    WINDOWS: dict[str, Callable[[int], Any]] = {
        "hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett, "boxcar": np.ones,
    }  # fmt: skip

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"side must be 'real' or 'imag', it is {side!r}")
        if isinstance(window, str) and window not in self.WINDOWS:
            raise ValueError(f"window must be one of {', '.join(self.WINDOWS)} or its values, it is {window!r}")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(f"scaling must be 'density', 'spectrum' or None, it is {scaling!r}")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, bool(periodic)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(f"the STFT initializer needs a shape (length, 1, bins), it was given {tuple(shape)}")
        length, _, bins = shape
        angles = -np.pi * np.arange(length)[:, None] * np.arange(bins) / (bins - 1)
        kernel = (np.cos if self.side == "real" else np.sin)(angles)
        if self.window is not None:
            window = self._window(length)
            scale = {"density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window)), None: 1.0}
            kernel = kernel * window[:, None] / scale[self.scaling]
        return _constant(kernel[:, None], dtype or config.floatx())

    def _window(self, length: int) -> np.ndarray:
        if isinstance(self.window, str):
            return np.asarray(self.WINDOWS[self.window](length + self.periodic)[:length], np.float64)
        window = np.asarray(self.window, np.float64)
        if window.shape != (length,):
            raise ValueError(f"the window must have the shape ({length},), it has {window.shape}")
        return window

    def get_config(self) -> dict[str, Any]:
        return {name: registry.plain(value) for name, value in vars(self).items()}


# ------------------------------------------------------------------------------------------------ values


class Deferred:
    """A value that NumPy computes when it is needed, once."""

    def __init__(self, compute: Callable[[], np.ndarray], shape: tuple[int, ...], dtype: str) -> None:
        self.compute, self.shape, self.dtype = compute, shape, dtype
        self._value: np.ndarray | None = None

    def __call__(self) -> np.ndarray:
        if self._value is None:
            self._value = np.asarray(self.compute()).astype(dtypes.numpy_dtype(self.dtype))
            self.compute = _spent
        return self._value

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self(), dtype)


def _spent() -> np.ndarray:
    raise AssertionError("the value has been computed")


def initial_value(
    initializer: Callable[..., Any], shape: tuple[int, ...], dtype: str
) -> Callable[[], np.ndarray]:
    """A function without arguments that gives the initial value of a weight; draws get their streams now.

    Raises:
        ValueError: the initializer gives another shape.
    """
    if type(initializer) in (Zeros, Ones):
        value = initializer.value  # type: ignore[attr-defined]
        return Deferred(lambda: np.full(shape, value, dtypes.numpy_dtype(dtype)), shape, dtype)
    later = drawn_later(initializer, shape, dtype)
    if later is not None:
        return Deferred(lambda: evaluate_on_reference(later()), shape, dtype)
    made = initializer(shape, dtype=dtype)
    found = made if isinstance(made, (Tensor, Deferred)) else np.asarray(made)
    if tuple(found.shape) != shape:
        raise ValueError(
            f"the initializer {initializer!r} gave the shape {tuple(found.shape)} for a weight of {shape}"
        )
    if isinstance(found, Deferred):
        return found
    if not isinstance(found, Tensor):
        return Deferred(lambda: found, shape, dtype)
    if found.node.op.role is Role.CONSTANT:
        return Deferred(lambda: found.node.attrs["value"], shape, dtype)
    return Deferred(lambda: evaluate_on_reference(found), shape, dtype)


# ------------------------------------------------------------------------------------------------ names

zero = zeros = Zeros
one = ones = Ones
constant = Constant
normal = random_normal = RandomNormal
uniform = random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal
identity = IdentityInitializer = Identity
stft = STFTInitializer = STFT

_CLASSES = (
    Zeros, Ones, Constant, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform, GlorotNormal,
    HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal, Identity, STFT,
)  # fmt: skip
_ALIASES: dict[str, Any] = {
    name: globals()[name]
    for name in (
        "zero zeros one ones constant normal random_normal uniform random_uniform truncated_normal variance_scaling "
        "glorot_uniform glorot_normal he_uniform he_normal lecun_uniform lecun_normal orthogonal OrthogonalInitializer "
        "identity IdentityInitializer stft STFTInitializer"
    ).split()
}
_BUILTIN: dict[str, Any] = {**{c.__name__: c for c in _CLASSES}, **_ALIASES}


def get(identifier: Any) -> Callable[..., Any]:
    """An initializer from a name, a configuration, an Initializer or a function of (shape, dtype).

    Args:
        identifier: a name, a configuration, an Initializer or a function of (shape, dtype).

    Raises:
        ValueError: an unknown name.

    >>> from kbackend import initializers
    >>> type(initializers.get("glorot_uniform")).__name__
    'GlorotUniform'
    """
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    return registry.make(identifier, _BUILTIN, "initializer")


def serialize(initializer: Any) -> Any:
    """The initializer's configuration.

    Args:
        initializer: an Initializer or a function.

    >>> from kbackend import initializers
    >>> initializers.serialize(initializers.HeNormal())
    {'class_name': 'HeNormal', 'config': {'seed': None, 'input_axes': None, 'output_axes': None}}
    """
    return registry.plain(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a configuration.

    Args:
        config: a name, or a configuration as :func:`kbackend.initializers.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import initializers
    >>> initializers.deserialize({"class_name": "RandomUniform", "config": {"minval": 0.0, "maxval": 2.0}}).maxval
    2.0
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [
    *(c.__name__ for c in _CLASSES),
    "Initializer",
    "deserialize",
    "fans",
    "get",
    "serialize",
    *_ALIASES,
]

_suggest_in(__name__)
