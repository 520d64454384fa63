"""What differs between layers of Keras and of kbackend that have one name.

Layers with the same arguments need no entry: most.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from kbackend import layers, ops

#: arguments of Keras that kbackend's layers have not, with the values that change nothing
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "activity_regularizer": (None,),
    "attention_axes": (None, [1]),
    "autocast": (True,),
    "build_input_shape": None,  # type: ignore[dict-item]  # any value: shapes are inferred
    "groups": (1,),
    "implementation": None,  # type: ignore[dict-item]
    # of the convolution that Keras's depthwise and separable layers derive from
    "kernel_constraint": (None,),
    "kernel_initializer": None,  # type: ignore[dict-item]
    "kernel_regularizer": (None,),
    "key_shape": None,  # type: ignore[dict-item]
    "lora_rank": (None,),
    "noise_shape": (None,),
    "optional": (False,),
    "quantization_config": (None,),
    "query_shape": None,  # type: ignore[dict-item]
    "ragged": (False,),
    "rng_type": None,  # type: ignore[dict-item]
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": None,  # type: ignore[dict-item]
    "fused": (None, True, False),
    "virtual_batch_size": (None,),
    "rms_scaling": (False,),
    "sliding_window": (None,),
    "softmax_robust_masking": (False,),
    "sparse": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "use_gate": (False,),
    "value_shape": None,  # type: ignore[dict-item]
    "zero_output_for_mask": (False,),
}
#: arguments of kbackend's layers that Keras 3's have not: they say what the layer learns from its input
OWN = ("batch_input_shape", "input_length")
_PROJECTIONS = ("query_dense", "key_dense", "value_dense", "output_dense")
#: layers that tf-keras has not
_NOT_OF_2 = frozenset(
    "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
    "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix "
    "Equalization FlaxLayer GroupQueryAttention JaxLayer MaxNumBoundingBoxes MelSpectrogram MixUp Pipeline "
    "RMSNormalization RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing "
    "RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation "
    "RandomSharpness RandomShear ReversibleEmbedding STFTSpectrogram Solarization".split()
)
#: layers that Keras 3 has not
_NOT_OF_3 = frozenset("LocallyConnected1D LocallyConnected2D ThresholdedReLU".split())
#: layers of Keras 2.3 that tf-keras has not
ONLY_OF_2_3 = frozenset(("CuDNNGRU", "CuDNNLSTM"))
#: layers that neither has
_OURS = ONLY_OF_2_3 | frozenset(
    "AtrousConvolution1D AtrousConvolution2D ConvLSTM1DCell ConvLSTM2DCell ConvLSTM3DCell ConvRNN2D TFModule "
    "TFSMLayer TorchModule TorchModuleWrapper".split()
)
#: layers under names of Keras 1, by those under which files have them
_OLD_NAMES = {
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D", "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D", "Deconvolution2D": "Conv2DTranspose", "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
}  # fmt: skip


def written_name(layer: Any) -> str:
    """The class of a layer as files of Keras name it."""
    kind = type(layer)
    new = _OLD_NAMES.get(kind.__name__, "")
    return new if kind is getattr(layers, kind.__name__, None) and new else kind.__name__


def has_layer(class_name: str, keras_version: int) -> bool:
    """Whether a version of Keras has one of kbackend's layers."""
    return class_name not in _OURS | (_NOT_OF_3 if keras_version == 3 else _NOT_OF_2)


_LAST: dict[str, tuple[Any, ...] | None] = {"data_format": ("channels_last", None)}
#: arguments of layers that tf-keras's have not, with the values that change nothing; None for any value
NOT_OF_KERAS_2: dict[str, Mapping[str, tuple[Any, ...] | None]] = {
    **dict.fromkeys(("CenterCrop", "RandomBrightness", "RandomCrop", "RandomFlip", "RandomRotation",
                     "RandomTranslation", "RandomZoom", "ZeroPadding1D"), _LAST),
    "RandomContrast": {**_LAST, "value_range": ([0.0, 255.0], (0.0, 255.0), None)},
    "Resizing": {**_LAST, "pad_to_aspect_ratio": (False,), "fill_mode": None, "fill_value": None,
                 "antialias": (False,)},
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "SimpleRNN"), {"seed": (None,)}),
    "MultiHeadAttention": {"sliding_window": (None,), "flash_attention": (None, False), "use_gate": (False,),
                           "seed": (None,)},
}  # fmt: skip
#: groups of Keras 3's weights that hold those of a layer, in the order of kbackend's
GROUPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "SimpleRNN"), ("cell",)),
    **dict.fromkeys(("CuDNNGRU", "CuDNNLSTM"), ("cell",)),
    "GroupQueryAttention": tuple(f"_{name}" for name in _PROJECTIONS),
    "MultiHeadAttention": _PROJECTIONS,
}
#: classes of layers that Keras has under other names
RENAMED = {"GroupQueryAttention": "GroupedQueryAttention", "Model": "Functional"}


def groups_of(layer: Any) -> tuple[str, ...]:
    """The groups of Keras 3's weights that hold those of a layer, in the order of kbackend's; one empty name where they
    lie in the layer's own."""
    found = GROUPS.get(type(layer).__name__, ("",))
    gate = found[0].replace("query", "gate")
    return (*found[:2], gate, *found[2:]) if getattr(layer, "use_gate", False) else found
#: arguments of layers that hold other layers, which Keras 3 has as groups of these names
INNER = ("forward_layer", "backward_layer", "layer", "cell", "cells")
#: classes of models
MODELS = ("Sequential", "Functional", "Model")
#: ops between layers that Keras 3 writes as layers of their own, by class: functions of kbackend.ops
_OPS = (
    "abs absolute add all any cast clip concatenate cos divide equal exp expand_dims flip get_item greater "
    "greater_equal less less_equal log log1p logical_and logical_not logical_or matmul max maximum mean min minimum "
    "moveaxis multiply negative not_equal ones_like power prod relu repeat reshape sigmoid sin softmax sqrt square "
    "squeeze stack subtract sum swapaxes tanh tile transpose true_divide where zeros_like"
).split()


@cache
def layer_classes() -> dict[str, Any]:
    """kbackend's layers by name."""
    known = layers.built_in()
    return known | {theirs: known[ours] for ours, theirs in RENAMED.items() if ours in known}


@cache
def arguments_of(layer: type) -> frozenset[str]:
    """The names of the arguments of the constructor of a layer."""
    found: set[str] = {"name", "dtype", "trainable", "input_shape", "batch_input_shape", "activity_regularizer"}
    for kind in layer.__mro__:
        constructor = kind.__dict__.get("__init__")
        if constructor is None:
            continue
        parameters = inspect.signature(constructor).parameters.values()
        found |= {p.name for p in parameters}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return frozenset(found - {"self", "kwargs", "args"})


def without_neutral(config: Mapping[str, Any], layer: type) -> dict[str, Any]:
    """The configuration without arguments that the layer has not and that change nothing.

    Raises:
        ValueError: another argument that the layer has not; the message names it.
    """
    known = arguments_of(layer)
    if layer.__name__.startswith("SpatialDropout"):
        known -= {"noise_shape"}  # which it gives to Dropout itself
    found = {}
    for key, value in config.items():
        if key in known or key not in NEUTRAL:
            found[key] = value
        elif NEUTRAL[key] is not None and value not in NEUTRAL[key]:
            raise ValueError(f"{key}={value!r} is not supported by {layer.__name__}")
    unknown = sorted(set(found) - known - {"alpha", "input_dim", "weights", "batch_size"})
    if unknown and not issubclass(layer, layers.InputLayer):
        raise ValueError(f"{layer.__name__} has no arguments {', '.join(unknown)}")
    return found


def op_function(class_name: str) -> Any:
    """The function of an op between layers, None for one that is not supported."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in class_name).lstrip("_")
    if name == "get_item":
        return lambda x, key: x[tuple(key) if isinstance(key, list) else key]
    return getattr(ops, name, None) if name in _OPS else None
