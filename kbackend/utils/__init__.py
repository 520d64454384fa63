"""Datasets, and what belongs to them."""

from kbackend.training.sources.sequence import PyDataset, Sequence
from kbackend.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = ["PyDataset", "Sequence", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]
