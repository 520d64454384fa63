"""Normalization of a layer's kernel by its largest singular value."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import described, positive
from kbackend.layers.base.weights import uncast
from kbackend.layers.wrapper import Wrapper
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.layer_norm import normalize


class SpectralNormalization(Wrapper):
    """A layer whose kernel is kept at a largest singular value of 1.

    A training step first divides the kernel by an estimate of its largest singular value, by power iterations from a
    vector that is kept from step to step; the layer computes, and the optimizer changes, the divided kernel, whose
    gradient is that of a weight of its own. Else the layer computes with its kernel as the last step left it.

    Args:
        layer: a layer with a weight ``kernel`` or ``embeddings``.
        power_iterations: how many iterations each step takes.

    Shapes: those of the layer.

    Weights: the kernel, the vector u (1, the kernel's last dimension), which is not trainable, and the other weights of
    the layer.

    Raises:
        ValueError: no iterations, or a layer without such a weight.

    Source: Miyato, Kataoka, Koyama and Yoshida, "Spectral Normalization for Generative Adversarial Networks", 2018.

    >>> from kbackend import Input, layers
    >>> layers.SpectralNormalization(layers.Dense(3))(Input((5,))).shape
    (None, 3)
    """

    arguments = ("power_iterations",)

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(power_iterations, "power_iterations", described(self))

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        roles = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not roles:
            raise ValueError(f"{described(self.layer)} has neither a kernel nor embeddings to normalize")
        self._role = roles[0]
        self.kernel = getattr(self.layer, self._role)
        self.vector_u = self.add_weight(
            "vector_u", (1, self.kernel.shape[-1]), initializer="truncated_normal", trainable=False,
            autocast=False,
        )  # fmt: skip
        limit, penalty = self.kernel.constraint, self.kernel.regularizer
        # the optimizer's change of the kernel, made of the divided kernel
        self.kernel.constraint = lambda w: _limited(w + self._division(self.kernel), limit)
        if penalty is not None:
            self.kernel.regularizer = lambda w: penalty(K.in_train_phase(w + self._division(w), w))

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        with uncast():
            self.add_update(K.update(self.vector_u, self._normalized(self.kernel)[1]))
            divided = self.kernel + self._division(self.kernel)
            kernel = K.in_train_phase(divided, self.kernel, training)
        if self.layer.dtype_policy.is_mixed:
            kernel = as_dtype(kernel, self.layer.compute_dtype)
        return self._with_kernel(kernel, inputs, **kwargs)

    def _division(self, kernel: Any) -> Any:
        """What is added to the kernel to divide it; a constant for gradients."""
        return K.stop_gradient(self._normalized(kernel)[0] - kernel)

    def _with_kernel(self, kernel: Any, inputs: Any, **kwargs: Any) -> Any:
        try:
            setattr(self.layer, self._role, kernel)
            return self.layer(inputs, **kwargs)
        finally:
            setattr(self.layer, self._role, self.kernel)

    def _normalized(self, kernel: Any) -> tuple[Any, Any]:
        """The kernel divided by its largest singular value, and the new vector u; zeros stay as they are."""
        size = self.kernel.shape[-1]
        rows, u = K.reshape(kernel, (-1, size)), self.vector_u
        columns = K.transpose(rows)
        for _ in range(self.power_iterations):
            v = normalize(matrix_multiply(u, columns), axis=(0, 1))
            u = normalize(matrix_multiply(v, rows), axis=(0, 1))
        v, u = K.stop_gradient(v), K.stop_gradient(u)
        sigma = K.sum(matrix_multiply(v, rows) * u)
        nothing = K.all(K.equal(kernel, 0.0))
        return kernel / K.switch(nothing, K.ones_like(sigma), sigma), K.switch(nothing, self.vector_u, u)


def _limited(weight: Any, limit: Any) -> Any:
    return weight if limit is None else limit(weight)


__all__ = ["SpectralNormalization"]
