"""Logarithm and exponential with the same bits on every engine."""

from __future__ import annotations

from kbackend.plugin.host.portable import portable_exp, portable_log

KERNELS = {
    "portable_exp": portable_exp,
    "portable_log": portable_log,
}
