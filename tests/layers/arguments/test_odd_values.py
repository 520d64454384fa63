"""Arguments of odd kinds: one error when the layer is made, with its name, the argument and the value."""

import math

import numpy as np
import pytest

from kbackend import layers

ODD = [
    ("Reshape", dict(target_shape=0), "target_shape must be a list of integers, it is 0"),
    ("Reshape", dict(target_shape="x"), "target_shape must be a list of integers, it is 'x'"),
    ("Reshape", dict(target_shape=(None,)), r"target_shape must be a list of integers, it is \(None,\)"),
    ("Reshape", dict(target_shape=(2.5,)), "target_shape must be a list of integers"),
    ("Permute", dict(dims=None), "dims must be a list of integers, it is None"),
    ("Permute", dict(dims=1.5), "dims must be a list of integers, it is 1.5"),
    ("Lambda", dict(function=abs, arguments=1.5), "arguments must be a dict, it is 1.5"),
    ("Lambda", dict(function=abs, arguments=[1]), r"arguments must be a dict, it is \[1\]"),
    ("Lambda", dict(function="nothing"), "unknown function 'nothing'"),
    ("BatchNormalization", dict(renorm=True, renorm_clipping=0), "renorm_clipping must be a dict, it is 0"),
    ("Normalization", dict(axis=(None,)), r"axis must be a list of integers, it is \[None\]"),
    ("Normalization", dict(axis=math.inf), r"axis must be a list of integers, it is \[inf\]"),
    ("Rescaling", dict(scale=None), "scale must be a number or a list of numbers, it is None"),
    ("Rescaling", dict(scale=1.0, offset=[None]), r"offset must be a number or a list of numbers, it is \[None\]"),
    ("Rescaling", dict(scale="2"), "scale must be a number or a list of numbers, it is '2'"),
    ("Discretization", dict(bin_boundaries="x"), "bin_boundaries must be a list of numbers, it is 'x'"),
    ("Discretization", dict(bin_boundaries={}), "bin_boundaries must be a list of numbers, it is {}"),
    ("Dense", dict(units=2, dtype="float31"), "a dtype policy is .*unknown dtype 'float31'"),
    ("Dense", dict(units=2, activity_regularizer="l3"), "unknown regularizer 'l3'"),
    ("Flatten", dict(activity_regularizer=0), "a regularizer must be a name.*, not 0"),
    ("MelSpectrogram", dict(sampling_rate=[]), r"sampling_rate must be a number, it is \[\]"),
    ("MelSpectrogram", dict(sampling_rate=math.inf), "sampling_rate must be a number, it is inf"),
]


@pytest.mark.parametrize("name, given, words", ODD)
def test_one_error_names_layer_argument_and_value(name, given, words):
    with pytest.raises((ValueError, TypeError), match=rf"layer odd \({name}\): {words}"):
        getattr(layers, name)(name="odd", **given)


def test_arrays_are_lists():
    assert layers.Reshape(np.array([2, 3])).target_shape == (2, 3)
    assert layers.Permute(np.array([2, 1])).dims == (2, 1)
    assert layers.Normalization(axis=np.int64(1)).axis == (1,)
    assert layers.Rescaling(np.float32(2)).scale == 2
