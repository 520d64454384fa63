"""Files. Loading never executes anything that a file holds."""

from kbackend.saving.checkpoint import load_checkpoint, save_checkpoint
from kbackend.saving.errors import FormatError

__all__ = ["FormatError", "load_checkpoint", "save_checkpoint"]
