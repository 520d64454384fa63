"""Layers that move, cut off, add or repeat elements."""

from kbackend.layers.reshaping.cropping import *
from kbackend.layers.reshaping.padding import *
from kbackend.layers.reshaping.shape import *
from kbackend.layers.reshaping.up_sampling import *
