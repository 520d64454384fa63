"""Constructors of layers under the hook: the arguments of Keras 2.3.1, by name without a warning and by position."""

from __future__ import annotations

import warnings

import pytest

from kbackend import compat

_KERNEL = "kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer "
_KERNEL += "kernel_constraint bias_constraint"
_CONVOLUTION = "filters kernel_size strides padding data_format dilation_rate "
_SEPARABLE = (
    f"{_CONVOLUTION} depth_multiplier activation use_bias depthwise_initializer pointwise_initializer "
    "bias_initializer depthwise_regularizer pointwise_regularizer bias_regularizer activity_regularizer "
    "depthwise_constraint pointwise_constraint bias_constraint"
)
_INITIAL = "use_bias kernel_initializer recurrent_initializer bias_initializer "
_OF_CELL = "kernel_regularizer recurrent_regularizer bias_regularizer "
_LIMITS = "kernel_constraint recurrent_constraint bias_constraint "
_OF_LAYER = f"{_OF_CELL} activity_regularizer {_LIMITS}"
_RATES = "dropout recurrent_dropout "
_LOOP = "return_sequences return_state go_backwards stateful unroll"
_GATES = "units activation recurrent_activation "
_CUDNN = f"{_OF_LAYER} return_sequences return_state stateful"
_POOL = "pool_size strides padding data_format"

#: the arguments of the constructors in the order of Keras 2.3.1
SIGNATURES = {
    "Dense": f"units activation use_bias {_KERNEL}",
    "Activation": "activation",
    "Dropout": "rate noise_shape seed",
    "Flatten": "data_format",
    "Reshape": "target_shape",
    "Permute": "dims",
    "RepeatVector": "n",
    "Lambda": "function output_shape mask arguments",
    "ActivityRegularization": "l1 l2",
    "Masking": "mask_value",
    "SpatialDropout1D": "rate",
    **{f"SpatialDropout{n}D": "rate data_format" for n in (2, 3)},
    **{f"Conv{n}D": f"{_CONVOLUTION} activation use_bias {_KERNEL}" for n in (1, 2, 3)},
    **{f"SeparableConv{n}D": _SEPARABLE for n in (1, 2)},
    "DepthwiseConv2D": "kernel_size strides padding depth_multiplier data_format dilation_rate activation use_bias "
    "depthwise_initializer bias_initializer depthwise_regularizer bias_regularizer activity_regularizer "
    "depthwise_constraint bias_constraint",
    "Conv2DTranspose": "filters kernel_size strides padding output_padding data_format dilation_rate activation "
    f"use_bias {_KERNEL}",
    "Conv3DTranspose": f"filters kernel_size strides padding output_padding data_format activation use_bias {_KERNEL}",
    "Cropping1D": "cropping",
    **{f"Cropping{n}D": "cropping data_format" for n in (2, 3)},
    "UpSampling1D": "size",
    "UpSampling2D": "size data_format interpolation",
    "UpSampling3D": "size data_format",
    "ZeroPadding1D": "padding",
    **{f"ZeroPadding{n}D": "padding data_format" for n in (2, 3)},
    **{f"{kind}Pooling{n}D": _POOL for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": "data_format" for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{
        f"LocallyConnected{n}D": f"filters kernel_size strides padding data_format activation use_bias {_KERNEL}"
        for n in (1, 2)
    },
    "SimpleRNN": f"units activation {_INITIAL} {_OF_LAYER} {_RATES} {_LOOP}",
    "GRU": f"{_GATES} {_INITIAL} {_OF_LAYER} {_RATES} implementation {_LOOP} reset_after",
    "LSTM": f"{_GATES} {_INITIAL} unit_forget_bias {_OF_LAYER} {_RATES} implementation {_LOOP}",
    "SimpleRNNCell": f"units activation {_INITIAL} {_OF_CELL} {_LIMITS} {_RATES}",
    "GRUCell": f"{_GATES} {_INITIAL} {_OF_CELL} {_LIMITS} {_RATES} implementation reset_after",
    "LSTMCell": f"{_GATES} {_INITIAL} unit_forget_bias {_OF_CELL} {_LIMITS} {_RATES} implementation",
    "CuDNNGRU": f"units kernel_initializer recurrent_initializer bias_initializer {_CUDNN}",
    "CuDNNLSTM": f"units kernel_initializer recurrent_initializer bias_initializer unit_forget_bias {_CUDNN}",
    "ConvLSTM2D": f"{_CONVOLUTION} activation recurrent_activation {_INITIAL} unit_forget_bias {_OF_LAYER} "
    f"return_sequences go_backwards stateful {_RATES}",
    "Embedding": "input_dim output_dim embeddings_initializer embeddings_regularizer activity_regularizer "
    "embeddings_constraint mask_zero input_length",
    "Concatenate": "axis",
    "Dot": "axes normalize",
    "LeakyReLU": "alpha",
    "PReLU": "alpha_initializer alpha_regularizer alpha_constraint shared_axes",
    "ELU": "alpha",
    "ThresholdedReLU": "theta",
    "Softmax": "axis",
    "ReLU": "max_value negative_slope threshold",
    "BatchNormalization": "axis momentum epsilon center scale beta_initializer gamma_initializer "
    "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer beta_constraint "
    "gamma_constraint",
    "GaussianNoise": "stddev",
    "GaussianDropout": "rate",
    "AlphaDropout": "rate noise_shape seed",
}

#: values that differ from the defaults, and from those of arguments that stand beside them
VALUES = {
    "units": 3, "filters": 4, "kernel_size": 2, "strides": 1, "dilation_rate": 1, "padding": "valid",
    "data_format": "channels_last", "activation": "tanh", "recurrent_activation": "relu", "use_bias": True,
    "rate": 0.25, "noise_shape": None, "seed": 5, "target_shape": (3, 2), "dims": (2, 1), "n": 3, "l1": 0.25,
    "l2": 0.5, "mask_value": 2.0, "output_padding": None, "cropping": 2, "size": 3, "interpolation": "bilinear",
    "pool_size": 3, "depth_multiplier": 2, "unit_forget_bias": False, "dropout": 0.125, "recurrent_dropout": 0.375,
    "implementation": 2, "return_sequences": True, "return_state": False, "go_backwards": True, "stateful": False,
    "unroll": False, "reset_after": True, "input_dim": 6, "output_dim": 7, "mask_zero": True, "input_length": 8,
    "axis": 1, "axes": 2, "normalize": True, "alpha": 0.25, "theta": 0.5, "max_value": 6.0, "negative_slope": 0.125,
    "threshold": 0.5, "momentum": 0.5, "epsilon": 0.01, "center": False, "scale": True, "shared_axes": [1],
    "function": abs, "stddev": 0.25, "output_shape": None, "mask": None, "arguments": {"a": 1},
}  # fmt: skip
_ROLES = {
    "initializer": ("ones", "zeros", "he_normal", "random_normal"),
    "regularizer": ("l1", "l2", None, "l1_l2"),
    "constraint": ("non_neg", "unit_norm", "max_norm"),
}


def values(names):
    """A value for each argument; two roles of one kind that follow each other get different ones."""
    counts = dict.fromkeys(_ROLES, 0)
    for name in names:
        role = name.rpartition("_")[2]
        if role not in _ROLES:
            yield VALUES[name] if name != "padding" or "kernel_size" in names or "pool_size" in names else 2
            continue
        choices = _ROLES[role]
        yield choices[counts[role] % len(choices)]
        counts[role] += 1


def config(layer):
    return {key: value for key, value in layer.get_config().items() if key != "name"}


@pytest.fixture(scope="module")
def layers():
    compat.install()
    try:
        from keras import layers

        yield layers
    finally:
        compat.uninstall()


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_by_name_and_by_position(layers, name):
    names = SIGNATURES[name].split()
    given = list(values(names))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer = getattr(layers, name)(**dict(zip(names, given, strict=True)))
        by_position = getattr(layers, name)(*given)
    assert config(by_position) == config(layer)


def test_input_dim_of_dense_and_alpha_are_spellings_of_keras_2(layers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layers.Dense(2, input_dim=3)._batch_input_shape == (None, 3)
        assert layers.Embedding(5, 2, input_length=4).input_length == 4
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    with pytest.warns(DeprecationWarning, match="a spelling of Keras 1; write LSTM"):
        layers.LSTM(2, input_dim=3)


def test_integers_after_the_filters_are_a_window(layers):
    for kind, sizes in (("Conv2D", (3, 2)), ("Conv2DTranspose", (3, 2)), ("SeparableConv2D", (3, 2)),
                        ("LocallyConnected2D", (3, 2)), ("ConvLSTM2D", (3, 2)), ("Conv3D", (3, 2, 1))):  # fmt: skip
        with pytest.warns(DeprecationWarning, match=f"{kind}.* is a spelling of Keras 1; write {kind}.4, .3, 2"):
            layer = getattr(layers, kind)(4, *sizes, activation="relu")
        assert layer.kernel_size == sizes and set(layer.strides) == {1}
    with pytest.raises(ValueError, match=r"a window of 3 by 3 in Keras 1 .*write Conv2D\(4, \(3, 3\)\) or strides="):
        layers.Conv2D(4, 3, 3, padding="same")
    assert layers.Conv1D(4, 3, 2).strides == (2,)

    class Mine(layers.Conv2D):
        def __init__(self):
            super().__init__(4, 3, 3)

    with pytest.warns(DeprecationWarning):
        assert Mine().kernel_size == (3, 3)


def test_integers_after_the_filters_are_strides_in_tf_keras():
    compat.install(tf_keras=True)
    try:
        from keras.layers import Conv2D

        assert Conv2D(4, 3, 2).strides == (2, 2)
    finally:
        compat.uninstall()
