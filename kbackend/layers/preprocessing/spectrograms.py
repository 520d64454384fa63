"""Spectrograms of signals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config, dtypes, initializers
from kbackend.layers.arguments import data_format_of, described, one_of, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.preprocessing.geometry import _is_number
from kbackend.layers.preprocessing.numeric import floats
from kbackend.ops.arrays.dims import length
from kbackend.ops.nn.conv import convolution
from kbackend.ops.signal.stft import stft

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
#: the mel scale: 2595 * log10(1 + hertz / 700)
_MEL_FACTOR, _MEL_BREAK = 1127.0, 700.0


class STFTSpectrogram(Layer):
    """A spectrogram by convolutions, whose kernels are weights that training may change.

    Args:
        mode: 'log' (of the magnitude), 'magnitude', 'psd' (power, twice but for the first and last frequency), 'real',
            'imag', 'angle', or 'stft' (the real and then the imaginary part).
        frame_length: the samples of a window.
        frame_step: the distance of windows; half the length when None.
        fft_length: the length of the transforms in samples, from ``frame_length`` on; the next power of two when None.
        window: 'hann', 'hamming', 'blackman', 'bartlett' or 'boxcar', its values, or None for none.
        periodic: whether the window is a period, not symmetric.
        scaling: 'density' (the window has the L2 norm 1), 'spectrum' (the L1 norm 1), or None.
        padding: 'valid' or 'same'.
        expand_dims: whether frequencies have an axis of their own.
        data_format: 'channels_last' or 'channels_first'; the default of the process when None.

    Shapes: (batch, samples, channels) to (batch, windows, channels * bins), or with ``expand_dims`` (batch, windows,
    bins, channels); for 'channels_first' (batch, channels, samples) to (batch, channels * bins, windows) or (batch,
    channels, windows, bins). There are ``fft_length // 2 + 1`` bins, twice as many for 'stft'. Weights: real_kernel
    and imag_kernel (frame_length, 1, bins), the first not for 'imag', the second not for 'real'.

    Raises:
        ValueError: an unknown mode, window, scaling or padding; a length or step that is none, a step above the
            length, a transform below it.
        TypeError: inputs that are not floats.

    >>> from kbackend import Input, layers
    >>> layers.STFTSpectrogram(frame_length=16)(Input((64, 1))).shape
    (None, 7, 9)
    """

    arguments = ("mode", "frame_length", "frame_step", "fft_length", "window", "periodic", "scaling", "padding",
                 "expand_dims", "data_format")  # fmt: skip

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.mode = one_of(mode, _MODES, "mode", label)
        self.frame_length = positive(frame_length, "frame_length", label)
        self.frame_step = None if frame_step is None else positive(frame_step, "frame_step", label)
        self._step = self.frame_step or max(1, self.frame_length // 2)
        if self._step > self.frame_length:
            raise ValueError(f"{label}: frame_step {frame_step} must not be above frame_length {frame_length}")
        self.fft_length = None if fft_length is None else positive(fft_length, "fft_length", label)
        size = self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))
        if size < max(2, self.frame_length):
            raise ValueError(f"{label}: fft_length must be at least 2 and frame_length {frame_length}, it is {size}")
        self._bins = size // 2 + 1
        self.window, self.periodic, self.scaling = window, periodic, scaling
        self._kernels()
        self.padding = one_of(padding, ("valid", "same"), "padding", label)
        self.expand_dims = expand_dims
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=3)

    def _kernels(self) -> dict[str, Any]:
        """The initializers of the kernels that the mode needs."""
        sides = [side for side, other in (("real", "imag"), ("imag", "real")) if self.mode != other]
        try:
            return {side: initializers.STFT(side, self.window, self.scaling, self.periodic) for side in sides}
        except ValueError as error:
            raise ValueError(f"{described(self)}: {error}") from None

    def build(self, input_shape: Any) -> None:
        for side, initializer in self._kernels().items():
            shape = (self.frame_length, 1, self._bins)
            setattr(self, f"{side}_kernel", self.add_weight(f"{side}_kernel", shape, initializer=initializer))

    def call(self, inputs: Any) -> Any:
        if not dtypes.is_float(inputs.dtype):
            raise TypeError(f"signals must be floats, they are {inputs.dtype}; cast them first")
        first = self.data_format == "channels_first"
        x = inputs if first else K.permute_dimensions(inputs, (0, 2, 1))
        signals = K.reshape(x, (-1, length(x, 2), 1))
        parts = {side: self._part(signals, side) for side in self._kernels()}
        y = self._combined(*parts.values())
        # (batch * channels, windows, bins)
        windows, bins = length(y, 1), y.shape[2]
        y = K.reshape(y, (-1, length(x, 1), windows, bins))
        order = (0, 1, 3, 2) if first else (0, 2, 1, 3)
        if self.expand_dims:
            return y if first else K.permute_dimensions(y, (0, 2, 3, 1))
        shape = (-1, length(x, 1) * bins, windows) if first else (-1, windows, length(x, 1) * bins)
        return K.reshape(K.permute_dimensions(y, order), shape)

    def _part(self, signals: Any, side: str) -> Any:
        kernel = K.cast(getattr(self, f"{side}_kernel"), signals.dtype)
        return convolution(signals, kernel, None, strides=(self._step,), padding=self.padding, dilation=(1,), groups=1)

    def _combined(self, one: Any, other: Any = None) -> Any:
        if other is None:
            return one
        if self.mode == "angle":
            return K.atan2(other, one)
        if self.mode == "stft":
            return K.concatenate([one, other], axis=-1)
        power = K.square(one) + K.square(other)
        if self.mode == "psd":
            # frequencies between the first and the last one stand for two
            twice = np.r_[1.0, np.full(max(0, self._bins - 2), 2.0), 1.0]
            return power * twice.astype(dtypes.numpy_dtype(power.dtype))
        magnitude = K.sqrt(K.maximum(power, config.epsilon()))
        return magnitude if self.mode == "magnitude" else K.log(K.maximum(magnitude, config.epsilon()))


class MelSpectrogram(Layer):
    """A spectrogram of mel frequencies, in decibels.

    Args:
        fft_length: the length of the transforms, in samples.
        sequence_stride: the distance of windows, in samples.
        sequence_length: the samples of a window; ``fft_length`` when None.
        window: 'hann' or 'hamming', the values of a window, or None for none.
        sampling_rate: samples per second.
        num_mel_bins: how many bands of frequencies there are.
        min_freq, max_freq: the bounds of the bands in hertz; half the sampling rate when None.
        power_to_db: whether results are decibels: ``10 log10(power / ref_power)``.
        top_db: results are at least so many decibels below the largest one of the batch.
        mag_exp: the exponent of magnitudes: 1 for magnitudes, 2 for powers.
        min_power: powers are at least that before the logarithm.
        ref_power: the power of 0 decibels.

    Shapes: (batch, samples), or (samples,) alone, to (batch, num_mel_bins, 1 + samples // sequence_stride). Signals
    are continued by reflection, so they are longer than half of ``fft_length``.

    Raises:
        ValueError: lengths that are none, a window longer than the transform, frequencies that do not rise.

    >>> from kbackend import Input, layers
    >>> layers.MelSpectrogram(64, 16, num_mel_bins=8)(Input((100,))).shape
    (None, 8, 7)
    """

    arguments = ("fft_length", "sequence_stride", "sequence_length", "window", "sampling_rate", "num_mel_bins",
                 "min_freq", "max_freq", "power_to_db", "top_db", "mag_exp", "min_power", "ref_power")  # fmt: skip

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: float = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.fft_length = positive(fft_length, "fft_length", label)
        self.sequence_stride = positive(sequence_stride, "sequence_stride", label)
        self.sequence_length = positive(sequence_length or fft_length, "sequence_length", label)
        if self.fft_length < self.sequence_length:
            raise ValueError(f"{label}: fft_length {fft_length} must not be below sequence_length {sequence_length}")
        self.num_mel_bins = positive(num_mel_bins, "num_mel_bins", label)
        self.window = window
        if not _is_number(sampling_rate) or not math.isfinite(sampling_rate):
            raise ValueError(f"{label}: sampling_rate must be a number, it is {sampling_rate!r}")
        numbers = dict(sampling_rate=sampling_rate, min_freq=min_freq, max_freq=max_freq or int(sampling_rate / 2),
                       top_db=top_db, mag_exp=mag_exp, min_power=min_power, ref_power=ref_power)  # fmt: skip
        for name, value in numbers.items():
            if not _is_number(value):
                raise ValueError(f"{label}: {name} must be a number, it is {value!r}")
            setattr(self, name, value)
        if not 0 <= min_freq < numbers["max_freq"]:
            limit = numbers["max_freq"]
            raise ValueError(f"{label}: min_freq {min_freq} must be below max_freq {limit} and not below 0")
        self.power_to_db = power_to_db
        self._bands = _mel_bands(num_mel_bins, self.fft_length // 2 + 1, sampling_rate, min_freq, numbers["max_freq"])

    def call(self, inputs: Any) -> Any:
        x = floats(inputs)
        kind = "float64" if x.dtype == "float64" else "float32"
        alone = x.ndim == 1
        signals = K.cast(x, kind)[None] if alone else K.cast(x, kind)
        real, imaginary = stft(signals, self.sequence_length, self.sequence_stride, self.fft_length, self.window)
        magnitude = K.sqrt(K.square(real) + K.square(imaginary))
        y = K.dot(magnitude**self.mag_exp, K.constant(self._bands, dtype=kind))  # type: ignore[attr-defined]
        if self.power_to_db:
            y = self._decibels(y)
        order = (*range(y.ndim - 2), y.ndim - 1, y.ndim - 2)
        y = K.cast(K.permute_dimensions(y, order), x.dtype)
        return y[0] if alone else y

    def _decibels(self, power: Any) -> Any:
        least, reference = self.min_power, self.ref_power  # type: ignore[attr-defined]
        found = K.log(K.maximum(power, least)) * (10.0 / math.log(10.0))
        found = found - 10.0 * math.log10(max(abs(reference), least))
        return K.maximum(found, K.max(found) - self.top_db)  # type: ignore[attr-defined]


def _mel(hertz: Any) -> Any:
    return _MEL_FACTOR * np.log(1.0 + np.asarray(hertz) / _MEL_BREAK)


def _mel_bands(count: int, bins: int, rate: float, low: float, high: float) -> np.ndarray:
    """Triangles on the mel scale: the weights of frequencies in bands, (bins, count); the frequency 0 has none."""
    frequencies = _mel(np.linspace(0.0, rate / 2.0, bins)[1:])[:, None]
    edges = np.linspace(_mel(low), _mel(high), count + 2)
    start, middle, end = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - start) / (middle - start), (end - frequencies) / (end - middle)
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), [(1, 0), (0, 0)])


__all__ = ["MelSpectrogram", "STFTSpectrogram"]
