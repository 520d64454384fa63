"""Initial weights, equal for all peers, in the layout and order of Keras's `get_weights`."""

from __future__ import annotations

import numpy as np


class Weights:
    """Draws named arrays one after another from one seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        self.arrays: dict[str, np.ndarray] = {}

    def glorot(self, name: str, shape: tuple[int, ...], fan_in: int, fan_out: int) -> None:
        limit = (6 / (fan_in + fan_out)) ** 0.5
        self.arrays[name] = self._random.uniform(-limit, limit, shape).astype(np.float32)

    def full(self, name: str, shape: tuple[int, ...], value: float) -> None:
        self.arrays[name] = np.full(shape, value, np.float32)

    def dense(self, name: str, width_in: int, width_out: int) -> None:
        self.glorot(f"{name}/kernel", (width_in, width_out), width_in, width_out)
        self.full(f"{name}/bias", (width_out,), 0.0)

    def conv(self, name: str, size: int, channels_in: int, channels_out: int) -> None:
        shape = (size, size, channels_in, channels_out)
        self.glorot(f"{name}/kernel", shape, size * size * channels_in, size * size * channels_out)
        self.full(f"{name}/bias", (channels_out,), 0.0)

    def lstm(self, name: str, features: int, units: int) -> None:
        """Gates i, f, c, o; the forget gate's bias starts at 1."""
        self.glorot(f"{name}/kernel", (features, 4 * units), features, 4 * units)
        self.glorot(f"{name}/recurrent", (units, 4 * units), units, 4 * units)
        bias = np.zeros(4 * units, np.float32)
        bias[units : 2 * units] = 1
        self.arrays[f"{name}/bias"] = bias

    def embedding(self, name: str, rows: int, width: int) -> None:
        self.arrays[f"{name}/table"] = self._random.uniform(-0.05, 0.05, (rows, width)).astype(np.float32)

    def layer_norm(self, name: str, width: int) -> None:
        self.full(f"{name}/gamma", (width,), 1.0)
        self.full(f"{name}/beta", (width,), 0.0)

    def attention(self, name: str, width: int, heads: int) -> None:
        """Query, key, value (width, heads, size) and output (heads, size, width), each with its bias."""
        size = width // heads
        for part in ("query", "key", "value"):
            self.glorot(f"{name}/{part}/kernel", (width, heads, size), width, width)
            self.full(f"{name}/{part}/bias", (heads, size), 0.0)
        self.glorot(f"{name}/output/kernel", (heads, size, width), width, width)
        self.full(f"{name}/output/bias", (width,), 0.0)

    def plain_conv(self, name: str, size: int, channels_in: int, channels_out: int) -> None:
        """A convolution without bias, which a normalization follows."""
        shape = (size, size, channels_in, channels_out)
        self.glorot(f"{name}/kernel", shape, size * size * channels_in, size * size * channels_out)

    def depthwise(self, name: str, size: int, channels: int) -> None:
        self.glorot(f"{name}/kernel", (size, size, channels, 1), size * size, size * size)

    def conv_transpose(self, name: str, size: int, channels_in: int, channels_out: int) -> None:
        shape = (size, size, channels_out, channels_in)
        self.glorot(f"{name}/kernel", shape, size * size * channels_in, size * size * channels_out)
        self.full(f"{name}/bias", (channels_out,), 0.0)

    def batch_norm(self, name: str, width: int) -> None:
        """Moving averages start at 0 and 1 in every library and are not drawn."""
        self.full(f"{name}/gamma", (width,), 1.0)
        self.full(f"{name}/beta", (width,), 0.0)

    def gru(self, name: str, features: int, units: int) -> None:
        """Gates z, r, h; a bias of the inputs and one of the state."""
        self.glorot(f"{name}/kernel", (features, 3 * units), features, 3 * units)
        self.glorot(f"{name}/recurrent", (units, 3 * units), units, 3 * units)
        self.full(f"{name}/bias", (2, 3 * units), 0.0)


def by_layer(weights: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer, whose name is all before the first slash."""
    found: dict[str, list[np.ndarray]] = {}
    for name, array in weights.items():
        found.setdefault(name.partition("/")[0], []).append(array)
    return found
