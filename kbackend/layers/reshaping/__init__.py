"""Layers that move, cut off, add or repeat elements."""

from kbackend.layers.reshaping.cropping import *  # noqa: F403
from kbackend.layers.reshaping.padding import *  # noqa: F403
from kbackend.layers.reshaping.shape import *  # noqa: F403
from kbackend.layers.reshaping.up_sampling import *  # noqa: F403
