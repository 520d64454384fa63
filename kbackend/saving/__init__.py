"""Files. Loading never executes anything that a file holds."""

from typing import TYPE_CHECKING

from kbackend.ground.late import late as _late
from kbackend.saving.errors import FormatError

if TYPE_CHECKING:
    from kbackend.saving.checkpoint import load_checkpoint, save_checkpoint
    from kbackend.saving.export import ExportError, export_model
    from kbackend.saving.loading import load_model
    from kbackend.saving.model_file import load_graph, save_model
    from kbackend.saving.weights_file import load_weights, save_weights

__getattr__, __dir__ = _late(
    __name__,
    {
        "checkpoint": "load_checkpoint save_checkpoint",
        "export": "ExportError export_model",
        "loading": "load_model",
        "model_file": "load_graph save_model",
        "weights_file": "load_weights save_weights",
    },
)

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
