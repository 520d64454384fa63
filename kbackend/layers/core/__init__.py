"""Core layers."""

from kbackend.layers.core.dense import *
from kbackend.layers.core.einsum_dense import *
from kbackend.layers.core.embedding import *
from kbackend.layers.core.function import *
from kbackend.layers.core.jax import *
from kbackend.layers.core.masking import *
from kbackend.layers.core.module import *
from kbackend.layers.core.quantizers import *
from kbackend.layers.core.saved_model import *
