"""Creation: arange, eye, zeros and ones, and their likes."""

from __future__ import annotations
