"""Files. Loading never executes anything that a file holds."""

from typing import TYPE_CHECKING, Any

from kbackend.saving.checkpoint import load_checkpoint, save_checkpoint
from kbackend.saving.errors import FormatError
from kbackend.saving.loading import load_model
from kbackend.saving.model_file import load_graph, save_model
from kbackend.saving.weights_file import load_weights, save_weights

if TYPE_CHECKING:
    from kbackend.saving.export import ExportError, export_model


def __getattr__(name: str) -> Any:
    """The names of exporting, which a process that loads a model need not import."""
    if name not in ("ExportError", "export_model"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kbackend.saving import export

    globals()[name] = value = getattr(export, name)
    return value


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
