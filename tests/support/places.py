"""Where things are."""

from pathlib import Path

#: the checkout
ROOT = Path(__file__).resolve().parents[2]
#: data that is not shipped
SHARED = ROOT.parent / "shared"
