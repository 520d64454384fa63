"""The kernel of custom gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def with_gradient(output: Any, inputs: Any, captures: Any, backward: Callable[..., Any]) -> Any:
    count = len(inputs)

    @tf.custom_gradient
    def hooked(output: Any, *tensors: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            found = backward(upstream, *tensors[count:])
            return (None, *found, *(None for _ in tensors[count:]))

        return tf.identity(output), gradient

    return hooked(output, *inputs, *captures)


KERNELS = {"with_gradient": with_gradient}
