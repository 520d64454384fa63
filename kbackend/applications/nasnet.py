"""NASNet-A: two cells that a search found, stacked (Zoph et al., 2017, arXiv:1707.07012)."""

from __future__ import annotations

from typing import Any, NamedTuple

from kbackend import layers
from kbackend.applications.imagenet_utils import decode_predictions, preprocessing
from kbackend.applications.network import (
    Asked,
    channels,
    ended,
    image_of,
    joined,
    made,
    normalized,
    padding_before,
    relu,
)
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")

#: by how much a reduction widens
_WIDER = 2


class _Plan(NamedTuple):
    """The size of a network: filters at the end, cells between reductions, filters of the stem, whether the first cell
    after a reduction skips what the reduction was made from, the usual picture, the stem of its files."""

    filters: int
    cells: int
    stem: int
    skip: bool
    size: int
    file: str


_LARGE = _Plan(4032, 6, 96, True, 331, "nasnet_large")
_MOBILE = _Plan(1056, 4, 32, False, 224, "nasnet_mobile")


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """NASNet-A (6 @ 4032), for pictures of 331 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import NASNetLarge
    >>> model = NASNetLarge(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 4032), 84916818)
    """
    return _nasnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), _LARGE)


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Model:
    """NASNet-A (4 @ 1056), for pictures of 224 pixels.

    Arguments and errors as :func:`VGG16`.

    >>> from kbackend.applications import NASNetMobile
    >>> model = NASNetMobile(include_top=False, weights=None, input_shape=(64, 64, 3))
    >>> model.output_shape, model.count_params()
    ((None, 2, 2, 1056), 4269716)
    """
    return _nasnet(Asked(include_top, weights, input_tensor, input_shape, pooling, classes), _MOBILE)


def _nasnet(asked: Asked, plan: _Plan) -> Model:
    image = image_of(asked, plan.size, 32, fixed=True)
    filters = plan.filters // 24
    x = layers.Conv2D(
        plan.stem, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1"
    )(image)
    x = _normalized(x, "stem_bn1")
    before: Tensor | None = None
    x, before = _reduction(x, before, filters // _WIDER**2, "stem_1"), x
    x, before = _reduction(x, before, filters // _WIDER, "stem_2"), x
    for stage in range(3):
        width, first = filters * _WIDER**stage, stage * plan.cells + (stage > 0)
        if stage:
            reduced, latest = _reduction(x, before, width, f"reduce_{stage * plan.cells}"), x
            x, before = reduced, before if plan.skip else latest
        for number in range(plan.cells):
            x, before = _normal(x, before, width, f"{first + number}"), x
    x = ended(relu(x), asked, mean=None)
    return made(asked, image, x, "NASNet", (f"{plan.file}.h5", f"{plan.file}_no_top.h5"))


def _normalized(x: Tensor, name: str) -> Tensor:
    return normalized(x, name, momentum=0.9997, epsilon=1e-3)


def _pointwise(x: Tensor, filters: int, name: str) -> Tensor:
    return layers.Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _separable(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    """Two separable convolutions, each after the rectifier; the first may take steps of two."""
    x, padding = relu(x), "same"
    if strides > 1:
        x, padding = layers.ZeroPadding2D(padding_before(x, size), name=f"separable_conv_1_pad_{name}")(x), "valid"
    for number, (steps, around) in enumerate(((strides, padding), (1, "same")), 1):
        x = x if number == 1 else relu(x)
        x = layers.SeparableConv2D(
            filters, size, strides=steps, padding=around, use_bias=False, name=f"separable_conv_{number}_{name}"
        )(x)
        x = _normalized(x, f"separable_conv_{number}_bn_{name}")
    return x


def _fitted(before: Tensor | None, x: Tensor, filters: int, name: str) -> Tensor:
    """The result of the cell before the last one, in the size of that of the last one and with ``filters`` channels."""
    if before is None:
        return x
    if before.shape[2] != x.shape[2]:
        return _halved(before, filters, name)
    if channels(before) == filters:
        return before
    before = _pointwise(relu(before), filters, f"adjust_conv_projection_{name}")
    return _normalized(before, f"adjust_bn_{name}")


def _halved(x: Tensor, filters: int, name: str) -> Tensor:
    """Every second place, and the places one row and column further, side by side."""
    x = relu(x, f"adjust_relu_1_{name}")
    further = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    parts = []
    for number, part in enumerate((x, further), 1):
        part = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{number}_{name}")(part)
        parts.append(_pointwise(part, filters // 2, f"adjust_conv_{number}_{name}"))
    return _normalized(joined(parts), f"adjust_bn_{name}")


def _normal(x: Tensor, before: Tensor | None, filters: int, name: str) -> Tensor:
    """The cell that keeps the size."""
    p = _fitted(before, x, filters, name)
    h = _normalized(_pointwise(relu(x), filters, f"normal_conv_1_{name}"), f"normal_bn_1_{name}")

    def added(number: int, *parts: Tensor) -> Tensor:
        return layers.Add(name=f"normal_add_{number}_{name}")(list(parts))

    def mean(t: Tensor, place: str) -> Tensor:
        return layers.AveragePooling2D(3, strides=1, padding="same", name=f"normal_{place}_{name}")(t)

    one = added(
        1,
        _separable(h, filters, 5, f"normal_left1_{name}"),
        _separable(p, filters, 3, f"normal_right1_{name}"),
    )
    two = added(
        2,
        _separable(p, filters, 5, f"normal_left2_{name}"),
        _separable(p, filters, 3, f"normal_right2_{name}"),
    )
    three = added(3, mean(h, "left3"), p)
    four = added(4, mean(p, "left4"), mean(p, "right4"))
    five = added(5, _separable(h, filters, 3, f"normal_left5_{name}"), h)
    return joined([p, one, two, three, four, five], f"normal_concat_{name}")


def _reduction(x: Tensor, before: Tensor | None, filters: int, name: str) -> Tensor:
    """The cell that halves the size."""
    p = _fitted(before, x, filters, name)
    h = _normalized(_pointwise(relu(x), filters, f"reduction_conv_1_{name}"), f"reduction_bn_1_{name}")
    padded = layers.ZeroPadding2D(padding_before(h, 3), name=f"reduction_pad_1_{name}")(h)
    one = layers.Add(name=f"reduction_add_1_{name}")([
        _separable(h, filters, 5, f"reduction_left1_{name}", 2),
        _separable(p, filters, 7, f"reduction_right1_{name}", 2),
    ])  # fmt: skip
    two = layers.Add(name=f"reduction_add_2_{name}")([
        layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded),
        _separable(p, filters, 7, f"reduction_right2_{name}", 2),
    ])  # fmt: skip
    three = layers.Add(name=f"reduction_add3_{name}")([
        layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded),
        _separable(p, filters, 5, f"reduction_right3_{name}", 2),
    ])  # fmt: skip
    mean = layers.AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{name}")(one)
    four = layers.Add()([two, mean])
    five = layers.Add(name=f"reduction_add4_{name}")([
        _separable(one, filters, 3, f"reduction_left4_{name}"),
        layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded),
    ])  # fmt: skip
    return joined([two, three, four, five], f"reduction_concat_{name}")


_suggest_in(__name__)
