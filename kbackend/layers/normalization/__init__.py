"""Normalization."""

from kbackend.layers.normalization.batch import *
from kbackend.layers.normalization.group import *
from kbackend.layers.normalization.layer import *
from kbackend.layers.normalization.spectral import *
