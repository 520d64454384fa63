"""Models of one layer, and of all that Keras and kbackend share, by the names of the layers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A layer: its class, the shape of its input without the batch, and its arguments."""

    layer: str
    shape: tuple[int, ...]
    arguments: dict[str, Any]
    inputs: int = 1

    def made(self, module: Any) -> Any:
        """The model, of Keras or kbackend."""
        tensors = [module.Input(self.shape, name=f"in{i}") for i in range(self.inputs)]
        layer = getattr(module.layers, self.layer)(name="tested", **self.arguments)
        return module.Model(tensors, layer(tensors[0] if self.inputs == 1 else tensors))

    def data(self) -> list[np.ndarray]:
        draws = np.random.RandomState(0)
        values = [draws.uniform(-1, 1, (3, *self.shape)).astype(np.float32) for _ in range(self.inputs)]
        return [np.abs(v * 5).astype(np.int32) for v in values] if self.layer == "Embedding" else values


def case(layer: str, *shape: int, inputs: int = 1, **arguments: Any) -> Case:
    return Case(layer, shape, arguments, inputs)


L1L2 = {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}
CASES = [
    case("Dense", 5, units=3),
    case(
        "Dense", 4, 5, units=3, activation="relu", use_bias=False, kernel_regularizer=L1L2, kernel_constraint="NonNeg"
    ),
    case("Dense", 5, units=3, kernel_initializer="he_normal", bias_initializer="ones", trainable=False),
    case("Activation", 5, activation="tanh"),
    case("Flatten", 2, 3),
    case("Reshape", 6, target_shape=(2, -1)),
    case("Permute", 2, 3, dims=(2, 1)),
    case("RepeatVector", 3, n=4),
    case("Embedding", 6, input_dim=7, output_dim=3),
    case("Masking", 4, 3, mask_value=0.5),
    case("Conv1D", 7, 3, filters=4, kernel_size=3, padding="causal", dilation_rate=2),
    case("Conv2D", 7, 6, 4, filters=4, kernel_size=(3, 2), strides=2, padding="same", activation="elu"),
    case("Conv2D", 7, 6, 4, filters=4, kernel_size=3, groups=2, dilation_rate=2),
    case("Conv3D", 4, 4, 4, 2, filters=3, kernel_size=2),
    case("Conv1DTranspose", 5, 3, filters=2, kernel_size=3, strides=2),
    case("Conv2DTranspose", 5, 4, 3, filters=2, kernel_size=3, strides=2, padding="same"),
    case("Conv3DTranspose", 3, 3, 3, 2, filters=2, kernel_size=2),
    case("DepthwiseConv1D", 5, 3, kernel_size=2, depth_multiplier=2),
    case("DepthwiseConv2D", 5, 5, 3, kernel_size=2, depth_multiplier=2),
    case("SeparableConv1D", 5, 3, filters=4, kernel_size=2),
    case("SeparableConv2D", 5, 5, 3, filters=4, kernel_size=2),
    case("MaxPooling1D", 6, 2, pool_size=2),
    case("MaxPooling2D", 6, 5, 2, pool_size=(2, 3), padding="same"),
    case("MaxPooling3D", 4, 4, 4, 2, pool_size=2),
    case("AveragePooling1D", 6, 2, pool_size=3, strides=1),
    case("AveragePooling3D", 4, 4, 4, 2, pool_size=2),
    case("AdaptiveMaxPooling1D", 6, 2, output_size=3),
    case("AdaptiveAveragePooling2D", 6, 5, 2, output_size=(3, 2)),
    case("Cropping1D", 6, 2, cropping=(1, 2)),
    case("Cropping2D", 6, 5, 2, cropping=((1, 0), (2, 1))),
    case("Cropping3D", 4, 4, 4, 1, cropping=1),
    case("ZeroPadding1D", 4, 2, padding=(1, 2)),
    case("ZeroPadding2D", 4, 3, 2, padding=2),
    case("ZeroPadding3D", 2, 2, 2, 1, padding=1),
    case("UpSampling1D", 4, 2, size=3),
    case("UpSampling2D", 4, 3, 2, interpolation="bilinear"),
    case("UpSampling3D", 2, 2, 2, 1, size=2),
    case("AveragePooling2D", 6, 5, 2, pool_size=2, strides=1),
    case("GlobalAveragePooling1D", 4, 3),
    case("GlobalAveragePooling2D", 4, 3, 2, keepdims=True),
    case("GlobalMaxPooling2D", 4, 3, 2),
    case("SimpleRNN", 5, 3, units=4, return_sequences=True),
    case("LSTM", 5, 3, units=4, go_backwards=True, dropout=0.1),
    case("LSTM", 5, 3, units=4, unit_forget_bias=False, recurrent_activation="softsign", use_bias=False),
    case("GRU", 5, 3, units=4, return_sequences=True),
    case("GRU", 5, 3, units=4, reset_after=False, recurrent_activation="tanh"),
    case("ConvLSTM1D", 4, 6, 2, filters=3, kernel_size=2),
    case("ConvLSTM2D", 3, 5, 5, 2, filters=2, kernel_size=2, padding="same", recurrent_activation="sigmoid"),
    case("ConvLSTM3D", 2, 4, 4, 4, 1, filters=2, kernel_size=2),
    case("BatchNormalization", 5, momentum=0.9, epsilon=1e-2),
    case("BatchNormalization", 4, 5, scale=False, axis=1),
    case("LayerNormalization", 4, 5, axis=[1, 2], center=False),
    case("GroupNormalization", 4, 6, groups=3),
    case("RMSNormalization", 5),
    case("UnitNormalization", 5),
    case("EinsumDense", 4, 5, equation="abc,cd->abd", output_shape=(None, 3), bias_axes="d"),
    case("PReLU", 4, 5, shared_axes=[1]),
    case("Identity", 5),
    case("Rescaling", 5, scale=2.0, offset=1.0),
    case("Discretization", 5, bin_boundaries=[0.0, 0.5]),
    case("CategoryEncoding", 5, num_tokens=4, output_mode="multi_hot"),
    case("CenterCrop", 6, 6, 3, height=4, width=4),
    case("Resizing", 6, 6, 3, height=4, width=5),
    case("Dropout", 5, rate=0.4, noise_shape=(None, 1)),
    case("GaussianDropout", 5, rate=0.4, seed=3),
    case("GaussianNoise", 5, stddev=0.4),
    case("AlphaDropout", 5, rate=0.4),
    case("SpatialDropout1D", 4, 5, rate=0.4),
    case("SpatialDropout2D", 4, 5, 2, rate=0.4),
    case("SpatialDropout3D", 2, 3, 4, 2, rate=0.4),
    case("ActivityRegularization", 5, l1=0.1, l2=0.2),
    case("ReLU", 5, max_value=0.5, negative_slope=0.1, threshold=0.1),
    case("LeakyReLU", 5, negative_slope=0.2),
    case("ELU", 5, alpha=0.5),
    case("Softmax", 4, 5, axis=1),
    case("Add", 5, inputs=3),
    case("Subtract", 5, inputs=2),
    case("Multiply", 5, inputs=3),
    case("Average", 5, inputs=3),
    case("Maximum", 5, inputs=2),
    case("Minimum", 5, inputs=2),
    case("Concatenate", 4, 5, inputs=2, axis=1),
    case("Dot", 4, 5, inputs=2, axes=2, normalize=True),
    case("RandomFlip", 4, 4, 3, mode="horizontal"),
    case("RandomRotation", 4, 4, 3, factor=0.2),
    case("RandomZoom", 4, 4, 3, height_factor=0.2),
    case("RandomTranslation", 4, 4, 3, height_factor=0.2, width_factor=0.1),
    case("RandomContrast", 4, 4, 3, factor=0.2),
    case("RandomBrightness", 4, 4, 3, factor=0.2),
    case("RandomCrop", 4, 4, 3, height=3, width=3, seed=1),
]


def label(found: Case) -> str:
    return "-".join([found.layer, *(str(v) for v in found.arguments.values())])


def larger(module: Any) -> Any:
    """Several inputs and outputs, layers called twice, models inside models, attention, states, masks."""
    layers, model = module.layers, module.Model
    words, x = module.Input((6,), dtype="int32", name="words"), module.Input((6, 4), name="x")
    h = layers.Embedding(9, 4, mask_zero=True, name="embedding")(words)
    h = layers.Add(name="sum")([h, x])
    h, s, c = layers.LSTM(4, return_sequences=True, return_state=True, name="encoder")(h)
    h = layers.LSTM(4, return_sequences=True, name="decoder")(h, initial_state=[s, c])
    y = layers.MultiHeadAttention(2, 3, name="attention")(h, h, use_causal_mask=True)
    y = layers.BatchNormalization(name="norm")(y)
    inner = module.Sequential(
        [layers.Input((6, 4)), layers.Dense(4, activation="relu", name="d"), layers.BatchNormalization(name="bn"),
         layers.Dropout(0.2, name="drop")], name="inner",
    )  # fmt: skip
    again = module.Input((6, 4))
    outer = model(again, layers.Dense(4, name="last")(inner(inner(again))), name="outer")
    y = layers.Concatenate(name="joined")([outer(y), outer(x)])
    y = layers.GlobalAveragePooling1D(name="mean")(y)
    shared = layers.Dense(8, name="shared")
    return model([words, x], [layers.Dense(2, name="a")(shared(shared(y))), layers.Dense(1, name="b")(y)])


def larger_data() -> list[np.ndarray]:
    draws = np.random.RandomState(1)
    return [draws.randint(1, 9, (5, 6)).astype(np.int32), draws.normal(size=(5, 6, 4)).astype(np.float32)]
