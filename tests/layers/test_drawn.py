"""Configurations of window layers that hypothesis draws beyond the table."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from layers import programs, table
from layers.table import Row

from kbackend import K

POOLINGS = ("MaxPooling", "AveragePooling")
DRAWN = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def sizes(rank, low, high):
    return st.tuples(*[st.integers(low, high)] * rank)


@st.composite
def rows(draw):
    """A convolution, transposed convolution, depthwise convolution or pooling whose windows fit."""
    rank = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["Conv", "Transpose", "Depthwise", *POOLINGS]))
    rank = min(rank, 2) if kind == "Depthwise" else rank
    shape, window = draw(sizes(rank, 1, 6)), draw(sizes(rank, 1, 3))
    padding = draw(st.sampled_from(["valid", "same"]))
    strides = draw(sizes(rank, 1, 3))
    dilation = draw(sizes(rank, 1, 2)) if max(strides) == 1 and kind not in POOLINGS else (1,) * rank
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation)]
    assume(kind == "Transpose" or padding == "same" or all(n >= r for n, r in zip(shape, reach)))
    groups, channels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    common = dict(strides=strides, padding=padding)
    if kind in POOLINGS:
        return Row(f"{kind}{rank}D", dict(pool_size=window, **common), (*shape, channels))
    common |= dict(kernel_size=window, dilation_rate=dilation, use_bias=draw(st.booleans()))
    if kind == "Depthwise":
        return Row(f"DepthwiseConv{rank}D", dict(depth_multiplier=groups, **common), (*shape, channels))
    if kind == "Transpose":
        return Row(f"Conv{rank}DTranspose", dict(filters=2, **common), (*shape, channels))
    arguments = dict(filters=2 * groups, groups=groups, **common)
    return Row(f"Conv{rank}D", arguments, (*shape, channels * groups))


@given(rows())
@DRAWN
def test_results_and_gradients_are_those_of_the_definition(each_backend, row):
    programs.check(row, each_backend)


@given(rows())
@settings(DRAWN, max_examples=40)
def test_symbolic_shapes_are_the_computed_ones(row):
    made = table.made(row, data_format="channels_last")
    assert [t.shape[1:] for t in made.outputs] == [v.shape[1:] for v in programs.definition(row).found[0].outputs]


@given(rows(), st.integers(1, 3))
@settings(DRAWN, max_examples=20)
def test_the_batch_is_free(row, batch):
    made = table.made(row, data_format="channels_last")
    value = np.zeros((batch, *row.shapes[0]), "float32")
    (found,) = K.function(made.inputs, made.outputs)([value])
    assert found.shape == (batch, *made.outputs[0].shape[1:])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_kind_is_drawn(rank):
    seen = set()

    @given(rows())
    @settings(DRAWN, max_examples=150)
    def collect(row):
        seen.add(row.layer)

    collect()
    wanted = {f"Conv{rank}D", f"Conv{rank}DTranspose", f"MaxPooling{rank}D", f"AveragePooling{rank}D"}
    assert wanted <= seen
