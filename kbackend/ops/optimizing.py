"""Multi-tensor optimizer steps."""

from __future__ import annotations
