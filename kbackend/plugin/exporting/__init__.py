"""What a backend says so that its programs can leave kbackend."""

from kbackend.plugin.exporting.formats import Exporting, Leaving, NotExportable, needed
from kbackend.plugin.exporting.spelling import KNOWN_CALLS, LOAD, Argument, Spelling

__all__ = ["KNOWN_CALLS", "LOAD", "Argument", "Exporting", "Leaving", "NotExportable", "Spelling", "needed"]
