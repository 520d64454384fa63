"""How exactly accelerators multiply float32 matrices. On CPUs, products of float32 are products of float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kbackend.plugin.contract import Backend

PRECISIONS = ("highest", "high")
_chosen = [PRECISIONS[0]]
_loaded: list[Backend] = []


def set_matmul_precision(precision: str) -> None:
    """Choose how accelerators multiply float32 matrices, and convolve: on all engines alike.

    Engines differ by themselves: TensorFlow takes TensorFloat-32 where a GPU has it, torch for convolutions only. Here
    it is off until asked for (docs/semantics.md, row 57). The choice reaches engines that are loaded at once and others
    when they are loaded; on a CPU it changes nothing.

    Args:
        precision: "highest": float32 throughout. "high": TensorFloat-32, factors rounded to 10 bits of mantissa and
            sums in float32; several times as fast, with errors about 1e-3 of the largest product.

    Raises:
        ValueError: another word.

    >>> from kbackend import K
    >>> K.matmul_precision()
    'highest'
    """
    if precision not in PRECISIONS:
        raise ValueError(f"the precision of matrix products must be 'highest' or 'high', not {precision!r}")
    _chosen[0] = precision
    for backend in _loaded:
        backend.set_matmul_precision(precision)


def matmul_precision() -> str:
    """How accelerators multiply float32 matrices: "highest" or "high"; see :func:`set_matmul_precision`.

    >>> from kbackend import K
    >>> K.matmul_precision()
    'highest'
    """
    return _chosen[0]


def prepare(backend: Backend) -> None:
    """Tell a backend that was just loaded."""
    _loaded.append(backend)
    backend.set_matmul_precision(_chosen[0])
