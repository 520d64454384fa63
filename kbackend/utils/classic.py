"""Keras 2.3's ``keras.utils``: its names with its arguments, where kbackend.utils has those of Keras 3."""

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, get_file
from kbackend.utils.generic_utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    serialize_keras_object,
)
from kbackend.utils.io_utils import H5Dict, HDF5Matrix
from kbackend.utils.layer_utils import convert_all_kernels_in_model, get_source_inputs, print_summary
from kbackend.utils.multi_gpu_utils import multi_gpu_model
from kbackend.utils.np_utils import normalize, to_categorical
from kbackend.utils.vis_utils import model_to_dot, plot_model

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "H5Dict",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_source_inputs",
    "model_to_dot",
    "multi_gpu_model",
    "normalize",
    "plot_model",
    "print_summary",
    "serialize_keras_object",
    "to_categorical",
]

_suggest_in(__name__)
