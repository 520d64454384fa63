"""Functions that are an engine's own."""

from kbackend.plugin.contract import Specialized
from kbackend.plugin.host.foreign import kernel

KERNELS = {"foreign": Specialized(kernel("torch"))}
