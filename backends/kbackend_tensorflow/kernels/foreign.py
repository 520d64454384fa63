"""Functions that are an engine's own."""

from kbackend.ops.foreign import kernel
from kbackend.plugin.contract import Specialized

KERNELS = {"foreign": Specialized(kernel("tensorflow"))}
