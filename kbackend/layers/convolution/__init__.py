"""Convolutions."""

from kbackend.layers.convolution.depthwise import *  # noqa: F403
from kbackend.layers.convolution.local import *  # noqa: F403
from kbackend.layers.convolution.plain import *  # noqa: F403
from kbackend.layers.convolution.separable import *  # noqa: F403
from kbackend.layers.convolution.transposed import *  # noqa: F403
