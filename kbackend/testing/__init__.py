"""The conformance kit: checks of a backend over every declared op.

    pytest --pyargs kbackend.testing.suite --kbackend NAME

runs it on an installed backend, as do ``python -m kbackend.testing NAME`` and
``KBACKEND=NAME pytest --pyargs kbackend.testing.suite``. The checks are functions too:

>>> from kbackend.plugin.select import target
>>> from kbackend.testing import check_op, find_op
>>> report = check_op(find_op("tanh"), target("numpy"), "float32")
>>> report.faults
[]
"""

from kbackend.testing.checks.op import check_op
from kbackend.testing.checks.overrides import (
    check_in_place,
    check_override,
    is_in_place,
    is_override,
    with_kernels,
)
from kbackend.testing.checks.second import check_second, check_second_definition
from kbackend.testing.checks.state import check_random_stream
from kbackend.testing.graphs import check_round_trip
from kbackend.testing.oracle import check_definition
from kbackend.testing.report import Fault, Report
from kbackend.testing.samples import all_ops, find_op, groups, op_key, samples_of

__all__ = [
    "Fault",
    "Report",
    "all_ops",
    "check_definition",
    "check_in_place",
    "check_op",
    "check_override",
    "check_random_stream",
    "check_round_trip",
    "check_second",
    "check_second_definition",
    "find_op",
    "groups",
    "is_in_place",
    "is_override",
    "op_key",
    "samples_of",
    "with_kernels",
]
