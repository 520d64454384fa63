"""The kernel of custom gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.core import defvjp_argnums

from kbackend_numpy.recording import primitive

Body = Callable[..., Any]


@primitive
def _hooked(output: Any, backward: Body, count: int, *tensors: Any) -> Any:
    return output


def _vjp(places: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Callable[[Any], tuple[Any, ...]]:
    _, backward, count, *tensors = args

    def vjp(upstream: Any) -> tuple[Any, ...]:
        found = backward(upstream, *tensors[count:])
        return tuple(found[p - 3] if 3 <= p < 3 + count else None for p in places)

    return vjp


defvjp_argnums(_hooked, _vjp)


def with_gradient(output: Any, inputs: Any, captures: Any, backward: Body) -> Any:
    return _hooked(output, backward, len(inputs), *inputs, *captures)


KERNELS = {"with_gradient": with_gradient}
