"""Kernels that this backend does not have, with the reason."""

from kbackend.plugin.gaps import Gap

GAPS: dict[str, Gap] = {}
