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
from kbackend.layers.preprocessing.hashing import HashedCrossing, Hashing
from kbackend.layers.preprocessing.images import CenterCrop, Resizing
from kbackend.layers.preprocessing.lookup import IntegerLookup, StringLookup
from kbackend.layers.preprocessing.numeric import Normalization, Rescaling
from kbackend.layers.preprocessing.text import TextVectorization

__all__ = [
    "CategoryEncoding",
    "CenterCrop",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
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
    "StringLookup",
    "TextVectorization",
]
