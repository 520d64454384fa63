"""The training loop that the TensorFlow programs share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks.workloads.data import Data

LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
# (weights by name, inputs, training) -> logits
Network = Callable[[dict[str, tf.Variable], list[tf.Tensor], bool], tf.Tensor]


class Adam:
    """Adam with TensorFlow's own fused kernel, one per variable."""

    def __init__(self, variables: list[tf.Variable]) -> None:
        self.variables = variables
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.beta1_power = tf.Variable(BETA1, trainable=False)
        self.beta2_power = tf.Variable(BETA2, trainable=False)

    def apply(self, gradients: list[tf.Tensor]) -> None:
        beta1_power, beta2_power = self.beta1_power.read_value(), self.beta2_power.read_value()
        for variable, m, v, gradient in zip(self.variables, self.first, self.second, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=beta1_power,
                beta2_power=beta2_power,
                lr=LEARNING_RATE,
                beta1=BETA1,
                beta2=BETA2,
                epsilon=EPSILON,
                grad=tf.convert_to_tensor(gradient),
            )
        self.beta1_power.assign(beta1_power * BETA1)
        self.beta2_power.assign(beta2_power * BETA2)


class TensorflowProgram:
    """One `tf.function` per step, traced once; a batch is gathered inside it from the data on the device."""

    def __init__(
        self,
        network: Network,
        loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        finish: Callable[[tf.Tensor], tf.Tensor],
        weights: dict[str, np.ndarray],
        data: Data,
        batch: int,
        variant: str,
    ) -> None:
        self.batch, self.samples = batch, data.samples
        self.weights = {name: tf.Variable(array) for name, array in weights.items()}
        inputs = [tf.constant(array) for array in data.inputs]
        shared_target = any(array is data.targets for array in data.inputs)
        targets = inputs[0] if shared_target else tf.constant(data.targets)
        variables = list(self.weights.values())
        optimizer = Adam(variables)
        compiled = variant == "xla"

        @tf.function(
            input_signature=[tf.TensorSpec([batch], tf.int32)], jit_compile=compiled, autograph=False
        )
        def step(index: tf.Tensor) -> tf.Tensor:
            rows = [tf.gather(array, index) for array in inputs]
            return stepped(rows, rows[0] if shared_target else tf.gather(targets, index))

        def stepped(rows: list[tf.Tensor], goal: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                value = loss(goal, network(self.weights, rows, True))
            optimizer.apply(tape.gradient(value, variables))
            return value

        signature = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in inputs]
        goals = tf.TensorSpec([None, *targets.shape[1:]], targets.dtype)

        @tf.function(input_signature=[signature, goals], jit_compile=compiled, autograph=False)
        def given(rows: list[tf.Tensor], goal: tf.Tensor) -> tf.Tensor:
            return stepped(rows, goal)

        @tf.function(input_signature=signature, jit_compile=compiled, autograph=False)
        def answer(*rows: tf.Tensor) -> tf.Tensor:
            return finish(network(self.weights, list(rows), False))

        self.step, self.given, self.answer = step, given, answer

    def train(self, epochs: int, rows: int | None = None) -> list[float]:
        losses: list[float] = []
        for _ in range(epochs):
            order = tf.random.shuffle(tf.range(rows or self.samples))
            losses.extend(
                float(self.step(index)) for index in tf.unstack(tf.reshape(order, (-1, self.batch)))
            )
        return losses

    def on_batch(self, inputs: tuple[np.ndarray, ...], targets: np.ndarray) -> float:
        """One step on arrays of the host."""
        return float(self.given(list(inputs), targets))

    def predict(self, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        return self.answer(*inputs).numpy()

    def parameter_count(self) -> int:
        return sum(int(tf.size(v)) for v in self.weights.values())


def sparse_crossentropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
