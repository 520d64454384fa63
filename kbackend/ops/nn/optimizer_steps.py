"""Multi-tensor optimizer steps: one op for all weights of a model.

Each is a composite over lists of tensors. Backends override them with kernels that change the variables in place
(plugin.contract.InPlace); where the results are needed elsewhere, the composition runs instead.

All take ``params`` and ``grads`` (lists of float tensors of equal shapes), state lists of the same shapes, and
scalar tensors; they return the new params followed by the new states.
"""

from __future__ import annotations

from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import add, divide, multiply, subtract
from kbackend.ops.elementwise.power import pow_, sqrt, square

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
    """``count`` lists of three tensors; the second derivative's state must not be negative."""
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


def _scalar(value: Any, like: Any) -> Any:
    return cast(value, dtype_of(like))


@composite(rule=_rule(2), samples=lambda: _sample(2, 0.1), **_STEP)
def sgd_step(params: TensorList, grads: TensorList, lr: TensorLike) -> Any:
    """``p - lr * g`` for all tensors."""
    return [subtract(p, multiply(_scalar(lr, p), g)) for p, g in zip(params, grads)]


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
    """``v = momentum * v - lr * g``; ``p + v``, or ``p + momentum * v - lr * g`` with Nesterov (Keras: the rate is
    inside the velocity)."""
    new_params, new_velocities = [], []
    for p, g, v in zip(params, grads, velocities):
        step = multiply(_scalar(lr, p), g)
        m = _scalar(momentum, p)
        velocity = subtract(multiply(m, v), step)
        moved = subtract(multiply(m, velocity), step) if nesterov else velocity
        new_params.append(add(p, moved))
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
    """``a = rho * a + (1 - rho) * g^2``; ``p - lr * g / ew.sqrt(a + epsilon)`` (Tieleman and Hinton, 2012)."""
    new_params, new_averages = [], []
    for p, g, a in zip(params, grads, averages):
        r = _scalar(rho, p)
        average = add(multiply(r, a), multiply(subtract(1.0, r), square(g)))
        step = divide(multiply(_scalar(lr, p), g), sqrt(add(average, _scalar(epsilon, p))))
        new_params.append(subtract(p, step))
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
    """Adam (Kingma and Ba, 2015, the form before section 2.1): ``p - lr_t * m / (ew.sqrt(v) + epsilon)`` with
    ``lr_t = lr * ew.sqrt(1 - beta_2^t) / (1 - beta_1^t)``; ``step`` is t, counted from 1."""
    new_params, new_means, new_squares = [], [], []
    for p, g, m, v in zip(params, grads, means, squares):
        t, b1, b2 = (_scalar(x, p) for x in (step, beta_1, beta_2))
        rate = divide(
            multiply(_scalar(lr, p), sqrt(subtract(1.0, pow_(b2, t)))),
            subtract(1.0, pow_(b1, t)),
        )
        mean = add(multiply(b1, m), multiply(subtract(1.0, b1), g))
        second = add(multiply(b2, v), multiply(subtract(1.0, b2), square(g)))
        new_params.append(
            subtract(p, divide(multiply(rate, mean), add(sqrt(second), _scalar(epsilon, p))))
        )
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
    """Adadelta (Zeiler, 2012): ``u = g * ew.sqrt(d + e) / ew.sqrt(a + e)``; ``p - lr * u``."""
    new_params, new_averages, new_deltas = [], [], []
    for p, g, a, d in zip(params, grads, averages, deltas):
        r, e = _scalar(rho, p), _scalar(epsilon, p)
        average = add(multiply(r, a), multiply(subtract(1.0, r), square(g)))
        change = divide(multiply(g, sqrt(add(d, e))), sqrt(add(average, e)))
        new_params.append(subtract(p, multiply(_scalar(lr, p), change)))
        new_averages.append(average)
        new_deltas.append(add(multiply(r, d), multiply(subtract(1.0, r), square(change))))
    return [*new_params, *new_averages, *new_deltas]


__all__: list[str] = []
