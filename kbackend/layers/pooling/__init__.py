"""Pooling."""

from kbackend.layers.pooling.adaptive import *
from kbackend.layers.pooling.whole import *
from kbackend.layers.pooling.windows import *
