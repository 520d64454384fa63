"""Preparation of data: numbers, categories, text, signals and images."""

from kbackend.layers.preprocessing.categories import *
from kbackend.layers.preprocessing.colors import *
from kbackend.layers.preprocessing.geometry import *
from kbackend.layers.preprocessing.hashing import *
from kbackend.layers.preprocessing.histograms import *
from kbackend.layers.preprocessing.images import *
from kbackend.layers.preprocessing.lookup import *
from kbackend.layers.preprocessing.mixing import *
from kbackend.layers.preprocessing.numeric import *
from kbackend.layers.preprocessing.policies import *
from kbackend.layers.preprocessing.spectrograms import *
from kbackend.layers.preprocessing.text import *
from kbackend.layers.preprocessing.warping import *
