"""Normalization."""

from kbackend.layers.normalization.batch import *  # noqa: F403
from kbackend.layers.normalization.group import *  # noqa: F403
from kbackend.layers.normalization.layer import *  # noqa: F403
from kbackend.layers.normalization.spectral import *  # noqa: F403
