"""Pooling."""

from kbackend.layers.pooling.adaptive import *  # noqa: F403
from kbackend.layers.pooling.whole import *  # noqa: F403
from kbackend.layers.pooling.windows import *  # noqa: F403
