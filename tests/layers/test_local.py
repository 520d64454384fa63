"""Local convolutions against loops over positions, in each form of the kernel."""

import itertools

import numpy as np
import pytest

from kbackend import Input, K, layers


def windows(sizes, window, strides, padding):
    """For each position of the output the elements that it reads, as [(position, [(place in the window, element)])]."""
    found = []
    counts = [-(-n // s) if padding == "same" else (n - k) // s + 1 for n, k, s in zip(sizes, window, strides)]
    for position in itertools.product(*map(range, counts)):
        start = [p * s - (k // 2 if padding == "same" else 0) for p, s, k in zip(position, strides, window)]
        read = []
        for place in itertools.product(*map(range, window)):
            element = tuple(a + b for a, b in zip(start, place))
            if all(0 <= e < n for e, n in zip(element, sizes)):
                read.append((place, element))
        found.append((position, read))
    return counts, found


def at(values, element, channel, first):
    return values[(slice(None), channel, *element)] if first else values[(slice(None), *element, channel)]


def by_loops(x, weights, layer, first):
    kernel, bias = weights
    sizes, channels = (x.shape[2:], x.shape[1]) if first else (x.shape[1:-1], x.shape[-1])
    counts, found = windows(sizes, layer.kernel_size, layer.strides, layer.padding)
    y = np.zeros((len(x), *counts, layer.filters))
    links = []
    for number, (position, read) in enumerate(found):
        for (place, element), channel, filter in itertools.product(read, range(channels), range(layer.filters)):
            flat = np.ravel_multi_index(place, layer.kernel_size)
            feature = channel * np.prod(layer.kernel_size) + flat if first else flat * channels + channel
            source = (channel, *element) if first else (*element, channel)
            result = (filter, *position) if first else (*position, filter)
            if layer.implementation == 1:
                y[(slice(None), *position, filter)] += at(x, element, channel, first) * kernel[number, feature, filter]
            elif layer.implementation == 2:
                y[(slice(None), *position, filter)] += at(x, element, channel, first) * kernel[(*source, *result)]
            else:
                links.append((result, source, position, element, channel, filter))
    for weight, (_, _, position, element, channel, filter) in zip(kernel, sorted(links)):
        y[(slice(None), *position, filter)] += at(x, element, channel, first) * weight
    if links:
        assert len(links) == len(kernel)
    # Keras 2 reads a bias of (*positions, filters) as (filters, *positions) here, without turning it
    return np.moveaxis(y, -1, 1) + bias.reshape(bias.shape[-1], *bias.shape[:-1]) if first else y + bias


FORMS = [(1, "valid"), (2, "valid"), (2, "same"), (3, "valid"), (3, "same")]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("implementation, padding", FORMS)
@pytest.mark.parametrize("window, strides, sizes", [((2,), (1,), (5,)), ((3,), (2,), (6,)), ((2, 3), (1, 2), (4, 5))])
def test_each_form(implementation, padding, window, strides, sizes, data_format):
    first = data_format == "channels_first"
    shape = (2, *sizes) if first else (*sizes, 2)
    kind = getattr(layers, f"LocallyConnected{len(window)}D")
    layer = kind(3, window, strides, padding, data_format, implementation=implementation, dtype="float64")
    x = Input(shape, dtype="float64")
    out = layer(x)
    draws = np.random.RandomState(0)
    weights = [draws.randn(*w.shape) for w in layer.weights]
    layer.set_weights(weights)
    value = draws.randn(2, *shape)
    (found,) = K.function([x], [out])([value])
    np.testing.assert_allclose(found, by_loops(value, weights, layer, first), rtol=1e-10, atol=1e-12)
    assert found.shape[1:] == out.shape[1:]
