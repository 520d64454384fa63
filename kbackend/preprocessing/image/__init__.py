"""Pictures as arrays and files, random changes of them, and batches of changed pictures: Keras 2's module."""

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.preprocessing.image.affine import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)
from kbackend.preprocessing.image.folders import DirectoryIterator
from kbackend.preprocessing.image.frames import DataFrameIterator
from kbackend.preprocessing.image.generator import ImageDataGenerator
from kbackend.preprocessing.image.iterators import Iterator, NumpyArrayIterator
from kbackend.preprocessing.image.pictures import list_pictures, load_img
from kbackend.utils.images import array_to_img, img_to_array, save_img

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "transform_matrix_offset_center",
]

_suggest_in(__name__)
