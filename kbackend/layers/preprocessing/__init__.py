"""Preparation of data: numbers, categories, text and images."""

from kbackend.layers.preprocessing.categories import CategoryEncoding, Discretization
from kbackend.layers.preprocessing.colors import (
    AutoContrast,
    Equalization,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomPosterization,
    RandomSaturation,
    RandomSharpness,
    Solarization,
)
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
from kbackend.layers.preprocessing.mixing import (
    CutMix,
    MixUp,
    Pipeline,
    RandomErasing,
    RandomShear,
)
from kbackend.layers.preprocessing.numeric import Normalization, Rescaling
from kbackend.layers.preprocessing.text import TextVectorization

__all__ = [
    "AutoContrast",
    "CategoryEncoding",
    "CenterCrop",
    "CutMix",
    "Discretization",
    "Equalization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "MixUp",
    "Normalization",
    "Pipeline",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "Solarization",
    "StringLookup",
    "TextVectorization",
]
