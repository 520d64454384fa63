"""Which of the kit's checks run again with other instructions of the processor."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kbackend.testing import plugin
from kbackend.testing.samples import find_op
from kbackend.testing.tolerances import is_computed


@pytest.mark.parametrize(
    ("key", "group", "wanted"),
    [
        ("convolution", "float32", True), ("convolution", "float64", True), ("max_pool", "float32", True),
        ("matmul", "float64", True), ("lstm", "float32", True), ("softmax", "float32", True),
        ("sum", "float16", True), ("exp", "float32", True), ("normalize_batch_in_training", "float32", True),
        ("exp", "float64", False), ("i0", "float32", False), ("reshape", "float32", False),
        ("concatenate", "float32", False), ("K.conv2d", "float32", False), ("bitwise_and", "fixed", False),
    ],
)  # fmt: skip
def test_what_depends_on_the_processor(key, group, wanted):
    assert is_computed(find_op(key), group) == wanted


def test_the_kit_marks_it(pytestconfig):
    cases = plugin._cases(SimpleNamespace(config=pytestconfig))
    marks = {case.id: [mark.name for mark in case.marks] for case in cases}
    assert marks["numpy-convolution-float32"] == ["engine", "processor"]
    assert marks["numpy-reshape-float32"] == ["engine"]
