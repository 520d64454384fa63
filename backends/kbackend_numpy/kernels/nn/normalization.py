"""Normalization kernels."""

from __future__ import annotations

from typing import Any

KERNELS: dict[str, Any] = {}
