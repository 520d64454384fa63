"""Convolutions."""

from kbackend.layers.convolution.depthwise import *
from kbackend.layers.convolution.local import *
from kbackend.layers.convolution.plain import *
from kbackend.layers.convolution.separable import *
from kbackend.layers.convolution.transposed import *
