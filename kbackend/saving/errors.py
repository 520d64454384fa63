"""What goes wrong with files."""

from __future__ import annotations


class FormatError(ValueError):
    """A file that cannot be read, or does not fit; the message says why. Nothing has changed then."""
