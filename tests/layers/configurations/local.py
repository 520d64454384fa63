"""Configurations of depthwise, separable and local convolutions."""

from layers.table import Bad, Row

LOCAL = "Keras 3 has no local convolutions"

ROWS = [
    Row("DepthwiseConv1D", dict(kernel_size=2), (5, 3)),
    Row("DepthwiseConv1D", dict(kernel_size=3, strides=2, padding="same", depth_multiplier=2), (5, 2)),
    Row("DepthwiseConv1D", dict(kernel_size=2, dilation_rate=2, use_bias=False, activation="tanh"), (None, 3)),
    Row("DepthwiseConv2D", dict(kernel_size=2), (3, 4, 3)),
    Row("DepthwiseConv2D", dict(kernel_size=3, strides=2, padding="same", depth_multiplier=2), (5, 4, 2)),
    Row("DepthwiseConv2D", dict(kernel_size=(1, 2), dilation_rate=(1, 2), use_bias=False), (None, 5, 3)),
    Row("DepthwiseConv2D", dict(kernel_size=2, depth_multiplier=3, activation="elu", depthwise_regularizer="l2"),
        (3, 4, 1)),
    Row("SeparableConv1D", dict(filters=3, kernel_size=2), (5, 2)),
    Row("SeparableConv1D", dict(filters=2, kernel_size=3, padding="causal", depth_multiplier=2), (5, 3)),
    Row("SeparableConv1D", dict(filters=2, kernel_size=3, strides=2, padding="same", use_bias=False), (None, 2)),
    Row("SeparableConv2D", dict(filters=3, kernel_size=2), (3, 4, 2)),
    Row("SeparableConv2D", dict(filters=2, kernel_size=3, strides=2, padding="same", depth_multiplier=2), (5, 4, 2)),
    Row("SeparableConv2D", dict(filters=2, kernel_size=2, dilation_rate=2, use_bias=False, activation="tanh"),
        (4, 5, 2)),
    Row("SeparableConv2D", dict(filters=2, kernel_size=(1, 2), pointwise_regularizer="l1"), (None, 4, 3)),
    Row("LocallyConnected1D", dict(filters=3, kernel_size=2, data_format="channels_last"), (5, 2), keras=LOCAL),
    Row("LocallyConnected1D", dict(filters=2, kernel_size=2, strides=2, data_format="channels_first"), (3, 5),
        keras=LOCAL),
    Row("LocallyConnected1D", dict(filters=2, kernel_size=3, padding="same", implementation=2,
                                   data_format="channels_last"), (5, 2), keras=LOCAL),
    Row("LocallyConnected1D", dict(filters=2, kernel_size=2, implementation=2, data_format="channels_first"), (3, 4),
        keras=LOCAL),
    Row("LocallyConnected1D", dict(filters=2, kernel_size=2, padding="same", implementation=3, use_bias=False,
                                   data_format="channels_last"), (5, 2), keras=LOCAL),
    Row("LocallyConnected1D", dict(filters=2, kernel_size=2, implementation=3, data_format="channels_first"), (3, 4),
        keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=3, kernel_size=2, data_format="channels_last"), (3, 4, 2), keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=2, kernel_size=(2, 1), strides=(1, 2), data_format="channels_first",
                                   activation="tanh"), (2, 3, 4), keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=2, kernel_size=2, strides=2, padding="same", implementation=2,
                                   data_format="channels_last"), (3, 4, 2), keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=2, kernel_size=2, implementation=2, data_format="channels_first"), (2, 3, 4),
        keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=2, kernel_size=(2, 3), padding="same", implementation=3,
                                   data_format="channels_last"), (3, 4, 2), keras=LOCAL),
    Row("LocallyConnected2D", dict(filters=2, kernel_size=2, implementation=3, data_format="channels_first"), (2, 3, 4),
        keras=LOCAL),
]

BAD = [
    Bad("DepthwiseConv1D", dict(kernel_size=2, padding="causal"), (4, 2), "padding must be one of valid, same"),
    Bad("DepthwiseConv2D", dict(kernel_size=2, depth_multiplier=0), (4, 5, 2), "depth_multiplier must be a positive"),
    Bad("DepthwiseConv2D", dict(kernel_size=2), (4, 2), "rank 4"),
    Bad("SeparableConv1D", dict(filters=0, kernel_size=2), (4, 2), "filters must be a positive integer"),
    Bad("SeparableConv2D", dict(filters=2, kernel_size=6), (4, 5, 2), "does not fit"),
    Bad("SeparableConv2D", dict(filters=2, kernel_size=2, strides=2, dilation_rate=2), (4, 5, 2), "cannot both"),
    Bad("LocallyConnected1D", dict(filters=2, kernel_size=2, padding="same"), (4, 2), "needs implementation 2 or 3"),
    Bad("LocallyConnected1D", dict(filters=2, kernel_size=2, implementation=4), (4, 2), "must be 1, 2 or 3, it is 4"),
    Bad("LocallyConnected1D", dict(filters=2, kernel_size=5), (4, 2), "does not fit"),
    Bad("LocallyConnected2D", dict(filters=2, kernel_size=2), (None, 4, 2), "spatial sizes of the input must be known"),
]
