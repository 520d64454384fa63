"""The training loop that the NumPy programs share; gradients by HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import autograd.numpy as np
import numpy
from autograd import value_and_grad

from benchmarks.workloads.data import Data

LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
Array = numpy.ndarray
Generator = numpy.random.Generator
Weights = dict[str, Array]


class Adam:
    """Adam over one flat vector that all weights are views of, with no temporary but one."""

    def __init__(self, weights: Weights) -> None:
        self.flat, self.views = flatten(weights)
        self.gradient, self.gradients = flatten(weights)
        self.first = numpy.zeros_like(self.flat)
        self.second = numpy.zeros_like(self.flat)
        self.work = numpy.empty_like(self.flat)
        self.steps = 0

    def apply(self, gradients: Weights) -> None:
        for name, view in self.gradients.items():
            view[...] = gradients[name]
        self.steps += 1
        rate = LEARNING_RATE * (1 - BETA2**self.steps) ** 0.5 / (1 - BETA1**self.steps)
        gradient, work = self.gradient, self.work
        self.first *= BETA1
        numpy.multiply(gradient, 1 - BETA1, out=work)
        self.first += work
        self.second *= BETA2
        gradient *= gradient
        gradient *= 1 - BETA2
        self.second += gradient
        numpy.sqrt(self.second, out=work)
        work += EPSILON
        numpy.divide(self.first, work, out=work)
        work *= rate
        self.flat -= work


def flatten(weights: Weights) -> tuple[Array, Weights]:
    flat = numpy.concatenate([array.ravel() for array in weights.values()])
    views, start = {}, 0
    for name, array in weights.items():
        views[name] = flat[start : start + array.size].reshape(array.shape)
        start += array.size
    return flat, views


class NumpyProgram:
    """`network(weights, inputs, training, random)` gives logits, `loss(targets, logits)` a number."""

    def __init__(
        self,
        network: Callable[..., Array],
        loss: Callable[[Array, Array], float],
        finish: Callable[[Array], Array],
        weights: Weights,
        data: Data,
        batch: int,
    ) -> None:
        self.network, self.finish, self.data, self.batch = network, finish, data, batch
        self.random = numpy.random.default_rng()
        self.adam = Adam(weights)
        self.weights = self.adam.views

        def objective(weights: Weights, rows: list[Array], targets: Array) -> float:
            return loss(targets, network(weights, rows, True, self.random))

        self.step = value_and_grad(objective)

    def train(self, epochs: int, rows: int | None = None) -> list[float]:
        losses = []
        data, shared_target = self.data, any(array is self.data.targets for array in self.data.inputs)
        for _ in range(epochs):
            order = self.random.permutation(rows or data.samples)
            for index in order.reshape(-1, self.batch):
                inputs = [array[index] for array in data.inputs]
                targets = inputs[0] if shared_target else data.targets[index]
                losses.append(self.on_batch(inputs, targets))
        return losses

    def on_batch(self, inputs: Sequence[Array], targets: Array) -> float:
        """One step on arrays."""
        value, gradients = self.step(self.weights, list(inputs), targets)
        self.adam.apply(gradients)
        return float(value)

    def predict(self, inputs: tuple[Array, ...]) -> Array:
        return self.finish(self.network(self.weights, list(inputs), False, self.random))

    def parameter_count(self) -> int:
        return self.adam.flat.size


def sigmoid(x: Array) -> Array:
    return 0.5 * (np.tanh(0.5 * x) + 1)


def softmax(logits: Array) -> Array:
    raised = np.exp(logits - np.max(logits, -1, keepdims=True))
    return raised / np.sum(raised, -1, keepdims=True)


def sparse_crossentropy(labels: Array, logits: Array) -> float:
    shifted = logits - np.max(logits, -1, keepdims=True)
    chosen = np.sum(shifted * (labels[:, None] == numpy.arange(logits.shape[1])), -1)
    return np.mean(np.log(np.sum(np.exp(shifted), -1)) - chosen)
