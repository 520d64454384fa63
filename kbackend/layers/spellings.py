"""The spellings of Keras 1 and 2: names of arguments.

:func:`accept` makes the constructors of layers take them too. Each that Keras 3 has not gives a DeprecationWarning that
names the new spelling. Two integers after the filters, as in ``Convolution2D(32, 3, 3)``, are a window under
Keras 1's names of layers; ``Conv2D(32, 3, 3)`` is a window of 3 and strides of 3, as in Keras 3.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Arguments = dict[str, Any]
#: the version of Keras whose spellings give no warning
CURRENT = 3


class Spelling:
    """Arguments of Keras 1 and what they are called now.

    Args:
        old: the arguments that make up the new one.
        new: its name, or several that get the same value; None where the old ones only say what is so in any case.
        convert: makes the new value from the old ones; the old value itself when None.
        last: the last version of Keras that has the old ones.
    """

    def __init__(
        self, old: Sequence[str], new: str | None, convert: Callable[..., Any] | None = None, last: int = 1
    ) -> None:
        self.old, self.last = tuple(old), last
        self.names = (new or "").split()
        self._convert = convert

    @property
    def makes_window(self) -> bool:
        return self._convert is _window

    def value(self, given: Sequence[Any]) -> Any:
        return given[0] if self._convert is None else self._convert(*given)


def _names(**new_names: str) -> list[Spelling]:
    return [Spelling([old], new) for old, new in new_names.items()]


def _window(*sizes: Any) -> Any:
    return tuple(sizes)


def _data_format(dim_ordering: Any) -> Any:
    known = {"tf": "channels_last", "th": "channels_first", "default": None}
    if dim_ordering not in known:
        raise ValueError(f"dim_ordering must be one of {', '.join(known)}, it is {dim_ordering!r}")
    return known[dim_ordering]


def _forget_bias(initializer: Any) -> bool:
    return initializer in ("one", "ones")


def _sample(*sizes: Any) -> Any:
    return tuple(sizes)


def _consume_less(value: Any) -> None:
    if value not in ("cpu", "mem", "gpu"):
        raise ValueError(f"consume_less must be one of cpu, mem, gpu, it is {value!r}")


def _by_feature(mode: Any) -> None:
    if mode != 0:
        raise ValueError(f"mode={mode!r} of BatchNormalization went in Keras 2; there is mode=0, by feature")


def _no_dropout(rate: Any) -> None:
    if rate:
        raise ValueError("the dropout of Embedding went in Keras 2; put SpatialDropout1D(rate) after it")


_ORDER = [Spelling(["dim_ordering"], "data_format", _data_format)]
_BIAS = _names(b_regularizer="bias_regularizer", b_constraint="bias_constraint", bias="use_bias")
_KERNEL = _names(init="kernel_initializer", W_regularizer="kernel_regularizer", W_constraint="kernel_constraint")
_DENSE = [*_names(output_dim="units"), *_KERNEL, *_BIAS]
_FEATURES = [Spelling(["input_dim"], "input_shape", _sample, last=3)]
_STEPS = [
    Spelling(["input_length", "input_dim"], "input_shape", _sample),
    Spelling(["input_dim"], "input_shape", lambda size: (None, size)),
]
_FILTERS = [*_names(nb_filter="filters", border_mode="padding", subsample="strides"), *_BIAS, *_ORDER]
_CONV = [*_FILTERS, *_KERNEL]
_LENGTH = _names(subsample_length="strides", filter_length="kernel_size")
_ROWS = [Spelling(["nb_row", "nb_col"], "kernel_size", _window)]
_DILATED = _names(atrous_rate="dilation_rate")
_VOLUME = [Spelling(["kernel_dim1", "kernel_dim2", "kernel_dim3"], "kernel_size", _window)]
_DEPTHWISE = _names(
    depthwise_init="depthwise_initializer",
    pointwise_init="pointwise_initializer",
    init="depthwise_initializer pointwise_initializer",
)
_POOL = [*_names(border_mode="padding", pool_length="pool_size", stride="strides"), *_ORDER]
_RATE = _names(p="rate")
_RECURRENT = [
    *_names(
        output_dim="units",
        inner_init="recurrent_initializer",
        U_regularizer="recurrent_regularizer",
        U_constraint="recurrent_constraint",
        dropout_W="dropout",
        dropout_U="recurrent_dropout",
    ),
    Spelling(["consume_less"], None, _consume_less),
    *_KERNEL,
    *_BIAS,
    *_STEPS,
]
_GATED = [*_names(inner_activation="recurrent_activation"), *_RECURRENT]
_LSTM = [Spelling(["forget_bias_init"], "unit_forget_bias", _forget_bias), *_GATED]

#: class -> the arguments of Keras 1 that it takes
SPELLINGS: Mapping[str, Sequence[Spelling]] = {
    "Dense": [*_DENSE, *_FEATURES],
    "Embedding": [
        *_names(
            init="embeddings_initializer", W_regularizer="embeddings_regularizer", W_constraint="embeddings_constraint"
        ),
        Spelling(["dropout"], None, _no_dropout),
    ],
    "Conv1D": [*_CONV, *_LENGTH, *_DILATED, *_STEPS],
    "Conv2D": [*_CONV, *_ROWS, *_DILATED],
    "Conv3D": [*_CONV, *_VOLUME],
    "Conv2DTranspose": [*_CONV, *_ROWS],
    "Conv3DTranspose": [*_CONV, *_VOLUME],
    "SeparableConv1D": [*_DEPTHWISE, *_FILTERS, *_LENGTH, *_DILATED],
    "SeparableConv2D": [*_DEPTHWISE, *_FILTERS, *_ROWS, *_DILATED],
    "LocallyConnected1D": [*_CONV, *_LENGTH, *_STEPS],
    "LocallyConnected2D": [*_CONV, *_ROWS],
    **{
        f"{kind}Pooling{rank}D": _POOL if not kind.startswith("Global") else _ORDER
        for kind in ("Max", "Average", "GlobalMax", "GlobalAverage")
        for rank in (1, 2, 3)
    },
    "UpSampling1D": _names(length="size"),
    **{f"{kind}{rank}D": _ORDER for kind in ("UpSampling", "ZeroPadding", "Cropping") for rank in (2, 3)},
    "BatchNormalization": [
        *_names(beta_init="beta_initializer", gamma_init="gamma_initializer"), Spelling(["mode"], None, _by_feature),
    ],  # fmt: skip
    "PReLU": _names(init="alpha_initializer"),
    "LeakyReLU": [Spelling(["alpha"], "negative_slope", last=2)],
    **{name: _RATE for name in ("Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D")},
    **{f"SpatialDropout{rank}D": [*_RATE, *_ORDER] for rank in (2, 3)},
    "GaussianNoise": _names(sigma="stddev"),
    "SimpleRNN": _RECURRENT,
    "GRU": _GATED,
    "LSTM": _LSTM,
    "ConvLSTM2D": [*_ROWS, *_CONV, *(s for s in _LSTM if s.names != ["units"])],
}


def modern(kind: str, given: Arguments) -> Arguments:
    """Arguments with the new names, after a DeprecationWarning for those that went.

    Raises:
        TypeError: an argument is given under both names.
    """
    found = dict(given)
    for spelling in SPELLINGS.get(kind, ()):
        if not all(name in found for name in spelling.old):
            continue
        both = [name for name in spelling.names if name in found]
        if both:
            raise TypeError(f"{kind} got {both[0]} twice, also as {' and '.join(spelling.old)}")
        value = spelling.value([found.pop(name) for name in spelling.old])
        old = ", ".join(f"{name}=..." for name in spelling.old)
        if not spelling.names:
            warn(f"{kind}({old}) is a spelling of Keras 1; leave it out")
            continue
        found.update(dict.fromkeys(spelling.names, value))
        if spelling.last < CURRENT:
            now = ", ".join(f"{name}={_shown(value)}" for name in spelling.names)
            warn(f"{kind}({old}) is a spelling of Keras {spelling.last}; write {kind}({now})")
    return found


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, (int, float, str, tuple)) else "..."


def warn(message: str) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=4)


def accept(kinds: Mapping[str, Any]) -> None:
    """Make the constructors of layers take the arguments of Keras 1.

    Args:
        kinds: the classes by name.
    """
    for name in SPELLINGS.keys() & kinds.keys():
        _wrap(kinds[name], name)


def _wrap(kind: Any, name: str) -> None:
    original = kind.__init__
    old = frozenset(word for spelling in SPELLINGS[name] for word in spelling.old)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if old.isdisjoint(kwargs):
            original(self, *args, **kwargs)
        else:
            args, kwargs = _with_first_sizes(name, args, kwargs)
            original(self, *args, **modern(name, kwargs))

    kind.__init__ = __init__


def _with_first_sizes(name: str, args: tuple[Any, ...], kwargs: Arguments) -> tuple[tuple[Any, ...], Arguments]:
    """Arguments in which the sizes of a window all have names, where the first ones come by position."""
    for spelling in SPELLINGS[name]:
        given = [word in kwargs for word in spelling.old]
        first = given.index(True) if True in given else 0
        if not spelling.makes_window or not first or not all(given[first:]):
            continue
        if len(args) == first + 1:
            return args[:1], {**dict(zip(spelling.old, args[1:])), **kwargs}
        if first == 1 and isinstance(kwargs.get("kernel_size"), int):  # where the hook has named what came by position
            others = {key: value for key, value in kwargs.items() if key != "kernel_size"}
            return args, {spelling.old[0]: kwargs["kernel_size"], **others}
    return args, kwargs


__all__ = ["CURRENT", "SPELLINGS", "Spelling", "accept", "modern", "warn"]
