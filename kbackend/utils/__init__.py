"""What programs need beside models: arrays, files, pictures, names for objects, progress."""

from kbackend.callbacks.progbar import (
    Progbar,
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.training.sources.sequence import PyDataset, Sequence
from kbackend.utils.data.batches import timeseries_dataset_from_array
from kbackend.utils.data.directories import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from kbackend.utils.data.enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer
from kbackend.utils.data.packing import pack_x_y_sample_weight, split_dataset, unpack_x_y_sample_weight
from kbackend.utils.diagrams import model_to_dot, plot_model
from kbackend.utils.files import get_file
from kbackend.utils.images import array_to_img, img_to_array, load_img, save_img
from kbackend.utils.io_utils import HDF5Matrix
from kbackend.utils.layer_utils import convert_all_kernels_in_model, print_summary
from kbackend.utils.multi_gpu_utils import multi_gpu_model
from kbackend.utils.numerical import normalize, pad_sequences, to_categorical
from kbackend.utils.objects import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from kbackend.utils.session import (
    Config,
    FeatureSpace,
    clear_session,
    get_source_inputs,
    is_keras_tensor,
    set_random_seed,
    standardize_dtype,
)

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "array_to_img",
    "audio_dataset_from_directory",
    "clear_session",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "multi_gpu_model",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "print_summary",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

_suggest_in(__name__)
