"""Convolution and pooling on torch, where oneDNN has other kernels for other processors."""

import pytest

CHECK = """
from kbackend.plugin.select import target
from kbackend.testing import check_op, find_op

for name in ("convolution", "convolution_transpose", "max_pool", "avg_pool"):
    for group in ("float32", "float64"):
        print(check_op(find_op(name), target("torch"), group), end="")
print("done")
"""
CHECKED_HEAP = {"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165", "LD_PRELOAD": "libc_malloc_debug.so.0"}


@pytest.mark.engine("torch")
@pytest.mark.parametrize("processor", ["SSE41", "AVX2", "ALL"])
def test_samples_on_processors_of_every_kind(fresh_python, processor):
    """As far as this machine has them; the heap is checked and new memory holds large numbers."""
    said = fresh_python(CHECK, {**CHECKED_HEAP, "ONEDNN_MAX_CPU_ISA": processor})
    assert said.strip() == "done"
