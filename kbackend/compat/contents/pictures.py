"""What networks for pictures outside of Keras import from ``keras.applications.imagenet_utils``."""

from __future__ import annotations

from typing import Any

from kbackend.applications.network import Asked, shape_of


def obtain_input_shape(
    input_shape: Any,
    default_size: int,
    min_size: int,
    data_format: str | None,
    require_flatten: bool = True,
    weights: Any = None,
    include_top: bool | None = None,
) -> tuple[int | None, ...]:
    """The shape of the pictures of a network, as ``_obtain_input_shape`` of Keras 2.

    Args:
        input_shape: of a picture; the usual one when None.
        default_size: the usual number of rows and columns.
        min_size: the smallest.
        data_format: that of the setting.
        require_flatten: whether rows and columns must be known; ``include_top`` in Keras 2.0.
        weights: 'imagenet', or None.

    Raises:
        ValueError: a shape that does not fit.

    >>> obtain_input_shape((48, 48, 3), 224, 32, "channels_last")
    (48, 48, 3)
    """
    fixed = require_flatten if include_top is None else include_top
    return shape_of(Asked(fixed, weights, None, input_shape, None, 1000), default_size, min_size, fixed)


__all__ = ["obtain_input_shape"]
