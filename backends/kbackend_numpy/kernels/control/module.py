"""The kernel of an engine's own modules."""

from kbackend.plugin.contract import Specialized
from kbackend.plugin.host.module import kernel

KERNELS = {"call_module": Specialized(kernel("numpy"))}
