"""Gradients that ``tf.custom_gradient`` registers for the process while a function is traced."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.framework.ops import gradient_registry

#: name -> what was registered, the graph it belongs to among it; TensorFlow has no way to remove one
_entries: dict[str, Any] = getattr(gradient_registry, "_registry", {})


@contextmanager
def released_with(owner: Any) -> Iterator[None]:
    """A context whose custom gradients are forgotten with an object: each would keep the graph that was traced."""
    before = set(_entries)
    try:
        yield
    finally:
        names = [name for name in list(_entries) if name not in before and name.startswith("CustomGradient-")]
        weakref.finalize(owner, _forget, names).atexit = False


def _forget(names: list[str]) -> None:
    for name in names:
        _entries.pop(name, None)
