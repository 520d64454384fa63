"""Multi-tensor optimizer steps: one op for all weights of a model.

Each is a composite over lists of tensors. Backends have kernels for them that update the variables in place
(plugin.contract.InPlace); where the results are needed elsewhere, the composition runs instead.

Operands are ``params`` and ``grads``, lists of float tensors of equal shapes, lists of states of these shapes, and
scalar tensors. Results are the new params followed by the new states.
"""

from __future__ import annotations

from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.power import sqrt, square

_STEP: dict[str, Any] = {"tolerance": "elementwise", "pure": False}


def _check(*lists: Any) -> None:
    if len({len(x) for x in lists}) != 1:
        raise ValueError(
            f"an optimizer step needs lists of equal length, it was given {[len(x) for x in lists]}"
        )
    for group in zip(*lists):
        if len({s.shape for s in group}) != 1:
            raise ValueError(
                f"an optimizer step needs tensors of equal shapes, it was given {[s.shape for s in group]}"
            )


def _lists(count: int) -> list[list[In]]:
    """``count`` lists of three tensors; positive, because second moments must not be negative."""
    shapes = [(3, 2), (2,), ()]
    return [[In(s, 0.1, 1.0, gradient=False) for s in shapes] for _ in range(count)]


def _sample(lists: int, *scalars: float, **attrs: Any) -> list[Sample]:
    return [
        call(*_lists(lists), *scalars, gradient=False, dynamic=False, dtypes=("float64", "float32"), **attrs)
    ]


def _rule(lists: int) -> Any:
    def rule(params: Any, grads: Any, *rest: Any, **attrs: Any) -> tuple[TensorSpec, ...]:
        states = rest[: lists - 2]
        _check(params, grads, *states)
        return (*params, *(s for state in states for s in state))

    return rule


def _scalars(like: Any, *values: Any) -> list[Any]:
    """Scalars in the dtype of a tensor."""
    return [cast(value, dtype_of(like)) for value in values]


@composite(rule=_rule(2), samples=lambda: _sample(2, 0.1), **_STEP)
def sgd_step(params: TensorList, grads: TensorList, lr: TensorLike) -> Any:
    """Gradient descent: ``p - lr * g``."""
    return [p - cast(lr, dtype_of(p)) * g for p, g in zip(params, grads)]


@composite(rule=_rule(3), samples=lambda: _sample(3, 0.1, 0.9, nesterov=True) + _sample(3, 0.1, 0.9), **_STEP)
def momentum_step(
    params: TensorList,
    grads: TensorList,
    velocities: TensorList,
    lr: TensorLike,
    momentum: TensorLike,
    *,
    nesterov: bool = False,
) -> Any:
    """Momentum as in Keras, with the rate inside the velocity: ``v = momentum * v - lr * g`` and ``p + v``.

    With ``nesterov`` the new value is ``p + momentum * v - lr * g``.
    """
    new_params, new_velocities = [], []
    for p, g, v in zip(params, grads, velocities):
        rate, m = _scalars(p, lr, momentum)
        step = rate * g
        velocity = m * v - step
        new_params.append(p + (m * velocity - step if nesterov else velocity))
        new_velocities.append(velocity)
    return [*new_params, *new_velocities]


@composite(rule=_rule(3), samples=lambda: _sample(3, 0.1, 0.9, 1e-7), **_STEP)
def rmsprop_step(
    params: TensorList,
    grads: TensorList,
    averages: TensorList,
    lr: TensorLike,
    rho: TensorLike,
    epsilon: TensorLike,
) -> Any:
    """RMSprop (Tieleman and Hinton, 2012): ``p - lr * g / sqrt(a + epsilon)``.

    The state is the average ``a = rho * a + (1 - rho) * g**2``.
    """
    new_params, new_averages = [], []
    for p, g, a in zip(params, grads, averages):
        r, rate, e = _scalars(p, rho, lr, epsilon)
        average = r * a + (1.0 - r) * square(g)
        new_params.append(p - rate * g / sqrt(average + e))
        new_averages.append(average)
    return [*new_params, *new_averages]


@composite(rule=_rule(4), samples=lambda: _sample(4, 0.001, 0.9, 0.999, 1e-7, 3.0), **_STEP)
def adam_step(
    params: TensorList,
    grads: TensorList,
    means: TensorList,
    squares: TensorList,
    lr: TensorLike,
    beta_1: TensorLike,
    beta_2: TensorLike,
    epsilon: TensorLike,
    step: TensorLike,
) -> Any:
    """Adam (Kingma and Ba, 2015, end of section 2): ``p - lr_t * m / (sqrt(v) + epsilon)``.

    The rate is ``lr_t = lr * sqrt(1 - beta_2**t) / (1 - beta_1**t)``; ``step`` is t, counted from 1.
    """
    new_params, new_means, new_squares = [], [], []
    for p, g, m, v in zip(params, grads, means, squares):
        t, b1, b2, rate, e = _scalars(p, step, beta_1, beta_2, lr, epsilon)
        corrected = rate * sqrt(1.0 - b2**t) / (1.0 - b1**t)
        mean = b1 * m + (1.0 - b1) * g
        second = b2 * v + (1.0 - b2) * square(g)
        new_params.append(p - corrected * mean / (sqrt(second) + e))
        new_means.append(mean)
        new_squares.append(second)
    return [*new_params, *new_means, *new_squares]


@composite(rule=_rule(4), samples=lambda: _sample(4, 0.1, 0.95, 1e-7), **_STEP)
def adadelta_step(
    params: TensorList,
    grads: TensorList,
    averages: TensorList,
    deltas: TensorList,
    lr: TensorLike,
    rho: TensorLike,
    epsilon: TensorLike,
) -> Any:
    """Adadelta (Zeiler, 2012): ``u = g * sqrt(d + epsilon) / sqrt(a + epsilon)`` and ``p - lr * u``.

    The states are the averages ``a = rho * a + (1 - rho) * g**2`` and ``d = rho * d + (1 - rho) * u**2``.
    """
    new_params, new_averages, new_deltas = [], [], []
    for p, g, a, d in zip(params, grads, averages, deltas):
        r, e, rate = _scalars(p, rho, epsilon, lr)
        average = r * a + (1.0 - r) * square(g)
        change = g * sqrt(d + e) / sqrt(average + e)
        new_params.append(p - rate * change)
        new_averages.append(average)
        new_deltas.append(r * d + (1.0 - r) * square(change))
    return [*new_params, *new_averages, *new_deltas]


__all__: list[str] = []
