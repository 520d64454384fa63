"""Shapes, axes, joining, indexing."""

from __future__ import annotations
