"""Core layers."""

from kbackend.layers.core.dense import *  # noqa: F403
from kbackend.layers.core.einsum_dense import *  # noqa: F403
from kbackend.layers.core.embedding import *  # noqa: F403
from kbackend.layers.core.function import *  # noqa: F403
from kbackend.layers.core.masking import *  # noqa: F403
