"""Training on several devices and machines, one process for each device."""

from kbackend.distribution.data_parallel import DataParallel
from kbackend.ops.collective.reduce import all_reduce
from kbackend.plugin.processes.group import DistributedError

__all__ = ["DataParallel", "DistributedError", "all_reduce"]
