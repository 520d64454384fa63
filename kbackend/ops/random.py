"""Random ops: one Philox stream on every engine."""

from __future__ import annotations
