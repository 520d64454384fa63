"""Recurrent ops with fused kernels."""

from __future__ import annotations
