"""The kernel of an engine's own functions."""

from kbackend.plugin.contract import Specialized
from kbackend.plugin.host.foreign import kernel

KERNELS = {"foreign": Specialized(kernel("tensorflow"))}
