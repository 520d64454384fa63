"""Images: ``kbackend.ops.image.NAME``."""

from kbackend.ops.image.color import gaussian_blur, hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from kbackend.ops.image.crop import crop_images, extract_patches, pad_images
from kbackend.ops.image.geometry import affine_transform, map_coordinates, perspective_transform
from kbackend.ops.image.resize import resample, resize, scale_and_translate

__all__ = [
    "affine_transform", "crop_images", "extract_patches", "gaussian_blur", "hsv_to_rgb", "map_coordinates",
    "pad_images", "perspective_transform", "resample", "resize", "rgb_to_grayscale", "rgb_to_hsv",
    "scale_and_translate",
]
