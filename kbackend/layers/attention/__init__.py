"""Attention: values mixed by how well queries and keys fit."""

from kbackend.layers.attention.dot import AdditiveAttention, Attention
from kbackend.layers.attention.grouped import GroupQueryAttention
from kbackend.layers.attention.multi_head import MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
