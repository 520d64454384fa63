"""Attention: values mixed by how well queries and keys fit."""

from kbackend.layers.attention.dot import *
from kbackend.layers.attention.grouped import *
from kbackend.layers.attention.multi_head import *
