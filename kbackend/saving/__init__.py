"""Files. Loading never executes anything that a file holds."""

from kbackend.saving.checkpoint import load_checkpoint, save_checkpoint
from kbackend.saving.errors import FormatError
from kbackend.saving.export import ExportError, export_model
from kbackend.saving.loading import load_model
from kbackend.saving.model_file import load_graph, save_model
from kbackend.saving.weights_file import load_weights, save_weights

__all__ = [
    "ExportError",
    "FormatError",
    "export_model",
    "load_checkpoint",
    "load_graph",
    "load_model",
    "load_weights",
    "save_checkpoint",
    "save_model",
    "save_weights",
]
