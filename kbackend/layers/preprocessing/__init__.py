"""Preparation of data: numbers, categories, text and images."""

from kbackend.layers.preprocessing.categories import CategoryEncoding, Discretization
from kbackend.layers.preprocessing.geometry import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from kbackend.layers.preprocessing.images import CenterCrop, Resizing
from kbackend.layers.preprocessing.numeric import Normalization, Rescaling

__all__ = [
    "CategoryEncoding",
    "CenterCrop",
    "Discretization",
    "Normalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
]
