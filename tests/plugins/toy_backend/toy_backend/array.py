"""The toy engine: arrays that remember what they were made of, so that everything can be differentiated."""

import numpy as np


class Toy:
    """An array, and for each array it was made of the function that carries a gradient back to it."""

    __slots__ = ("value", "sources")

    def __init__(self, value, sources=()):
        self.value = np.asarray(value)
        self.sources = sources

    @property
    def shape(self):
        return self.value.shape

    @property
    def dtype(self):
        return self.value.dtype

    def detached(self):
        return Toy(self.value)


def summed_to(g, shape):
    """A gradient summed over the axes along which an array of ``shape`` was repeated."""
    if g.shape == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = (*range(extra), *(extra + i for i, d in enumerate(shape) if d == 1 and g.shape[extra + i] != 1))
    return reshape(sum_(g, axes, False), shape)


def add(x, y):
    return Toy(x.value + y.value, ((x, lambda g: summed_to(g, x.shape)), (y, lambda g: summed_to(g, y.shape))))


def negative(x):
    return Toy(-x.value, ((x, negative),))


def subtract(x, y):
    return Toy(x.value - y.value,
               ((x, lambda g: summed_to(g, x.shape)), (y, lambda g: summed_to(negative(g), y.shape))))


def multiply(x, y):
    return Toy(x.value * y.value, ((x, lambda g: summed_to(multiply(g, y), x.shape)),
                                   (y, lambda g: summed_to(multiply(g, x), y.shape))))


def divide(x, y):
    return Toy(x.value / y.value, (
        (x, lambda g: summed_to(divide(g, y), x.shape)),
        (y, lambda g: summed_to(negative(multiply(divide(g, y), divide(x, y))), y.shape))))


def exp(x):
    return Toy(np.exp(x.value), ((x, lambda g: multiply(g, exp(x))),))


def tanh(x):
    def back(g):
        y = tanh(x)
        return subtract(g, multiply(g, multiply(y, y)))

    return Toy(np.tanh(x.value), ((x, back),))


def sum_(x, axis, keepdims):
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    total = np.sum(x.value, axis=axis, keepdims=keepdims, dtype=wide).astype(x.dtype)
    kept = tuple(1 if i in axis else d for i, d in enumerate(x.shape))
    return Toy(total, ((x, lambda g: repeated(reshape(g, kept), x.shape)),))


def repeated(x, shape):
    return Toy(np.array(np.broadcast_to(x.value, shape)), ((x, lambda g: summed_to(g, x.shape)),))


def reshape(x, shape):
    return Toy(x.value.reshape(shape), ((x, lambda g: reshape(g, x.shape)),))


def permute(x, pattern):
    back = tuple(sorted(range(len(pattern)), key=pattern.__getitem__))
    return Toy(x.value.transpose(pattern), ((x, lambda g: permute(g, back)),))


def swapped(x):
    rank = len(x.shape)
    return permute(x, (*range(rank - 2), rank - 1, rank - 2))


def matmul(x, y):
    return Toy(np.matmul(x.value, y.value).astype(x.dtype), (
        (x, lambda g: summed_to(matmul(g, swapped(y)), x.shape)),
        (y, lambda g: summed_to(matmul(swapped(x), g), y.shape))))


def cast(x, dtype):
    if x.dtype == dtype:
        return x
    return Toy(x.value.astype(dtype), ((x, lambda g: cast(g, x.dtype)),))


def gradients(loss, tensors):
    """d sum(loss) / d tensor for each tensor."""
    found = {id(loss): Toy(np.ones_like(loss.value))}
    for node in _from_last_to_first(loss):
        gradient = found.get(id(node))
        if gradient is None:
            continue
        for source, back in node.sources:
            part = back(gradient)
            found[id(source)] = part if id(source) not in found else add(found[id(source)], part)
    return tuple(found[id(t)] if id(t) in found else Toy(np.zeros_like(t.value)) for t in tensors)


def _from_last_to_first(end):
    order, seen, stack = [], set(), [(end, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((source, False) for source, _ in node.sources)
    return reversed(order)
