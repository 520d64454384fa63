"""The engine and device that are active now, set by :mod:`kbackend.plugin.select`; whether a graph is being built."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

#: the target inside ``use_backend`` and its like
active: ContextVar[Any] = ContextVar("kbackend_active", default=None)
#: the target of the process, None until it is needed
process_target: list[Any] = [None]
#: whether the body of a symbolic call runs: ops of constants inside it are nodes as well
building: ContextVar[bool] = ContextVar("kbackend_building", default=False)
#: gives ops the weights of a layer in the dtype that it computes in, while it is called
autocast: ContextVar[Any] = ContextVar("kbackend_autocast", default=None)
