"""Files. Loading never executes anything that a file holds."""

from kbackend.saving.checkpoint import load_checkpoint, save_checkpoint
from kbackend.saving.errors import FormatError
from kbackend.saving.loading import load_model
from kbackend.saving.model_file import load_graph, save_model

__all__ = ["FormatError", "load_checkpoint", "load_graph", "load_model", "save_checkpoint", "save_model"]
