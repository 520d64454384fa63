"""ResNet-18, U-Net and EfficientNet-style blocks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from keras import Input, Model, layers


def resnet(workload: ModuleType) -> Model:
    def normed(x: Any, name: str, width: int, size: int, stride: int) -> Any:
        wide = stride > 1 and size > 1  # padding "same" would have one more at the end than at the start
        x = layers.ZeroPadding2D(size // 2)(x) if wide else x
        padding = "valid" if wide else "same"
        x = layers.Conv2D(width, size, strides=stride, padding=padding, use_bias=False, name=name)(x)
        return layers.BatchNormalization(
            momentum=workload.MOMENTUM, epsilon=workload.EPSILON, name=f"{name}_norm"
        )(x)

    images = Input((workload.SIZE, workload.SIZE, workload.CHANNELS))
    x = layers.Activation("relu")(normed(images, "stem", workload.WIDTHS[0], 7, 2))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for block in workload.blocks():
        y = layers.Activation("relu")(normed(x, f"{block.name}_first", block.width, 3, block.stride))
        y = normed(y, f"{block.name}_second", block.width, 3, 1)
        short = normed(x, f"{block.name}_short", block.width, 1, block.stride) if block.projected else x
        x = layers.Activation("relu")(layers.Add()([y, short]))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(images, layers.Dense(workload.CLASSES, activation="softmax", name="classes")(x))


def unet(workload: ModuleType) -> Model:
    def twice(x: Any, name: str, filters: int) -> Any:
        for part in ("first", "second"):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_{part}")(x)
        return x

    images = Input((workload.SIZE, workload.SIZE, 1))
    x, skipped = images, []
    for level, filters in enumerate(workload.FILTERS):
        x = twice(x, f"down{level}", filters)
        skipped.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = twice(x, "bottom", workload.BOTTOM)
    for level, filters in reversed(list(enumerate(workload.FILTERS))):
        x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}_wide")(x)
        x = twice(layers.Concatenate()([skipped[level], x]), f"up{level}", filters)
    return Model(images, layers.Conv2D(1, 1, activation="sigmoid", name="pixels")(x))


def depthwise(workload: ModuleType) -> Model:
    def normed(x: Any, name: str) -> Any:
        norm = layers.BatchNormalization(
            momentum=workload.MOMENTUM, epsilon=workload.EPSILON, name=f"{name}_norm"
        )
        return norm(x)

    def conv(x: Any, name: str, width: int) -> Any:
        return normed(layers.Conv2D(width, 1, use_bias=False, name=name)(x), name)

    def mixed(x: Any, block: Any) -> Any:
        name = block.name
        y = layers.Activation("swish")(conv(x, f"{name}_expand", block.inner))
        wide = block.stride > 1
        y = layers.ZeroPadding2D(block.size // 2)(y) if wide else y
        deep = layers.DepthwiseConv2D(
            block.size,
            strides=block.stride,
            padding="valid" if wide else "same",
            use_bias=False,
            name=f"{name}_depthwise",
        )
        y = layers.Activation("swish")(normed(deep(y), f"{name}_depthwise"))
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Conv2D(block.squeezed, 1, activation="swish", name=f"{name}_squeeze")(gate)
        gate = layers.Conv2D(block.inner, 1, activation="sigmoid", name=f"{name}_excite")(gate)
        y = conv(layers.Multiply()([y, gate]), f"{name}_project", block.width)
        return layers.Add()([x, y]) if block.residual else y

    images = Input((workload.SIZE, workload.SIZE, 1))
    x = layers.Conv2D(workload.STEM, 3, strides=2, use_bias=False, name="stem")(layers.ZeroPadding2D(1)(images))
    x = layers.Activation("swish")(normed(x, "stem"))
    for block in workload.blocks():
        x = mixed(x, block)
    x = layers.Activation("swish")(conv(x, "head", workload.HEAD))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(images, layers.Dense(workload.CLASSES, activation="softmax", name="classes")(x))
