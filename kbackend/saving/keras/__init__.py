"""Files of Keras 1, 2 and 3, read and written without Keras or an engine."""

from kbackend.saving.keras.files import (
    load_weights,
    read_archive,
    read_hdf5,
    weights_of,
    write,
    write_weights,
)
from kbackend.saving.keras.hdf5 import is_hdf5
from kbackend.saving.keras.places import content_of, is_open
from kbackend.saving.keras.reading import is_configuration, model_from

__all__ = [
    "content_of",
    "is_configuration",
    "is_hdf5",
    "is_open",
    "load_weights",
    "model_from",
    "read_archive",
    "read_hdf5",
    "weights_of",
    "write",
    "write_weights",
]
