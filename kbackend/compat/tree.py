"""The module tree of Keras 2.3, and where kbackend has the contents of each module.

A module that took its names from several files of Keras stands for all of them here: ``keras.layers.core`` has every
layer, as ``keras.layers`` has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

VERSION = "2.3.1"
MAJOR = 2


class Entry(NamedTuple):
    """The contents of a module of Keras.

    Attributes:
        family: the module whose refusals it shares, see :mod:`kbackend.compat.refused`.
        sources: modules of kbackend whose names it has, the first counts. One that is not there is an error where it is
            the only one.
        own: names of its own, with the module and attribute of kbackend that they mean.
        called: what a call of the module means: ``from keras.layers import merge`` was a function in Keras 1.
    """

    family: str
    sources: tuple[str, ...] = ()
    own: Mapping[str, str] = {}
    called: str = ""


_HELPERS = "kbackend.compat.contents.engine"
_LAYERS = Entry("layers", ("kbackend.compat.contents.layers", "kbackend.layers"))
_BACKEND = Entry(
    "backend",
    ("kbackend.compat.contents.functions", "kbackend.backend"),
    {"_get_available_gpus": "kbackend.compat.contents.functions:available_gpus"},
)
_FILES = {name: f"kbackend.compat.contents.files:{name}" for name in ("load_model", "save_model")}
_MODELS = Entry("models", ("kbackend.models",), _FILES)
_ENGINE = Entry(
    "engine",
    ("kbackend.layers", "kbackend.models"),
    {
        "Input": "kbackend.layers.base.input:Input",
        "Network": "kbackend.models:Model",
        "get_source_inputs": "kbackend.utils:get_source_inputs",
        **{f"{start}{name}": f"{_HELPERS}:{name}" for name in ("make_batches", "batch_shuffle") for start in ("", "_")},
        **{f"{start}slice_arrays": "kbackend.utils.generic_utils:slice_arrays" for start in ("", "_")},
        **_FILES,
        "to_list": "kbackend.utils.generic_utils:to_list",
        "_to_list": "kbackend.utils.generic_utils:to_list",
        "_object_list_uid": "kbackend.utils.generic_utils:object_list_uid",
    },
)
_UTILS = Entry("utils", ("kbackend.utils.classic", "kbackend.utils"))
_LOSSES = Entry("losses", ("kbackend.losses",))


def _same(parent: str, names: str, entry: Entry) -> dict[str, Entry]:
    return {f"{parent}.{name}": entry for name in names.split()}


def _each(parent: str, names: str, source: str) -> dict[str, Entry]:
    """Modules below one, with the contents of the module of kbackend of the same name."""
    return {f"{parent}.{name}": Entry(parent, (f"{source}.{name}",)) for name in names.split()}


#: the modules by their path below keras
TREE: Mapping[str, Entry] = {
    "": Entry(
        "",
        (),
        {name: f"kbackend.models:{name}" for name in ("Input", "Model", "Sequential")},
    ),
    "activations": Entry("activations", ("kbackend.activations",), {"relu": "kbackend.compat.contents.functions:relu"}),
    "applications": Entry("applications", ("kbackend.applications",)),
    **_each(
        "applications",
        "densenet inception_resnet_v2 inception_v3 mobilenet_v2 nasnet resnet resnet50 "
        "resnet_v2 vgg16 vgg19 xception",
        "kbackend.applications",
    ),
    "applications.mobilenet": Entry(
        "applications",
        ("kbackend.applications.mobilenet",),
        {"relu6": "kbackend.activations:relu6", "DepthwiseConv2D": "kbackend.layers:DepthwiseConv2D"},
    ),
    "applications.imagenet_utils": Entry(
        "applications",
        ("kbackend.applications.imagenet_utils",),
        {"_obtain_input_shape": "kbackend.compat.contents.pictures:obtain_input_shape"},
    ),
    "backend": _BACKEND,
    **_same("backend", "common load_backend tensorflow_backend theano_backend", _BACKEND),
    "callbacks": Entry("callbacks", ("kbackend.callbacks",)),
    "callbacks.callbacks": Entry("callbacks", ("kbackend.callbacks",)),
    "constraints": Entry(
        "constraints",
        ("kbackend.constraints",),
        {
            "maxnorm": "kbackend.constraints:MaxNorm",
            "nonneg": "kbackend.constraints:NonNeg",
            "unitnorm": "kbackend.constraints:UnitNorm",
        },
    ),
    "datasets": Entry("datasets", ("kbackend.datasets",)),
    **_each(
        "datasets",
        "boston_housing cifar cifar10 cifar100 fashion_mnist imdb mnist reuters",
        "kbackend.datasets",
    ),
    "engine": _ENGINE,
    **_same(
        "engine",
        "base_layer input_layer network saving sequential topology training training_arrays training_generator "
        "training_utils",
        _ENGINE,
    ),
    "initializers": Entry(
        "initializers", ("kbackend.initializers",), {"_compute_fans": f"{_HELPERS}:compute_fans"}
    ),
    "initializations": Entry("initializers", ("kbackend.compat.contents.initializations",)),
    "layers": _LAYERS,
    **_same(
        "layers",
        "advanced_activations convolutional convolutional_recurrent core cudnn_recurrent embeddings local noise "
        "normalization pooling recurrent wrappers",
        _LAYERS,
    ),
    "layers.merge": _LAYERS._replace(
        own={"_Merge": "kbackend.layers.merge:Merge"}, called="kbackend.layers.legacy:merge"
    ),
    **_same("layers", "experimental experimental.preprocessing", _LAYERS),
    "legacy": Entry("legacy"),
    "legacy.interfaces": Entry("legacy.interfaces", ("kbackend.compat.contents.interfaces",)),
    "legacy.layers": _LAYERS,
    "legacy.models": Entry("models"),
    "losses": _LOSSES,
    "metrics": Entry("metrics", ("kbackend.metrics", "kbackend.losses")),
    "models": _MODELS,
    "objectives": _LOSSES,
    "optimizers": Entry(
        "optimizers",
        ("kbackend.optimizers",),
        {
            name.lower(): f"kbackend.optimizers:{name}"
            for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")
        },
    ),
    "optimizers.schedules": Entry("optimizers", ("kbackend.optimizers.schedules",)),
    "preprocessing": Entry("preprocessing", ("kbackend.preprocessing",)),
    **_each("preprocessing", "image sequence text", "kbackend.preprocessing"),
    "regularizers": Entry(
        "regularizers",
        ("kbackend.regularizers",),
        {
            "WeightRegularizer": "kbackend.regularizers:L1L2",
            "ActivityRegularizer": "kbackend.regularizers:L1L2",
            "activity_l1": "kbackend.regularizers:l1",
            "activity_l2": "kbackend.regularizers:l2",
            "activity_l1l2": "kbackend.regularizers:l1_l2",
            "l1l2": "kbackend.regularizers:l1_l2",
        },
    ),
    "saving": Entry("saving", ("kbackend.saving", "kbackend.utils")),  # of tf.keras
    "utils": _UTILS,
    **{
        f"utils.{name}": _UTILS._replace(sources=(f"kbackend.utils.{name}", *_UTILS.sources))
        for name in (
            "conv_utils", "data_utils", "generic_utils", "io_utils", "layer_utils", "multi_gpu_utils", "np_utils",
            "vis_utils",
        )  # fmt: skip
    },
    "utils.losses_utils": _UTILS._replace(own={"Reduction": "kbackend.losses:Reduction"}),
    **_same("utils", "metrics_utils training_utils", _UTILS),
    "utils.visualize_util": _UTILS._replace(own={"plot": "kbackend.utils.classic:plot_model"}),
    "wrappers": Entry("wrappers"),
    "wrappers.scikit_learn": Entry("wrappers.scikit_learn", ("kbackend.wrappers.scikit_learn",)),
}
