"""Computing without NumPy's warnings where all engines return NaN or infinity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kbackend.plugin.contract import Quiet


def _entered() -> Any:
    state = np.errstate(all="ignore")
    state.__enter__()
    return state


def _left(state: Any) -> None:
    state.__exit__(None, None, None)


def _quiet() -> Quiet:
    """What ``np.errstate`` does, by the context variable that it sets, in a tenth of its time where NumPy has that."""
    try:
        from numpy._core.umath import _extobj_contextvar, _make_extobj

        ignoring = _make_extobj(all="ignore")
    except (ImportError, TypeError):
        return Quiet(_entered, _left)
    return Quiet(partial(_extobj_contextvar.set, ignoring), _extobj_contextvar.reset)


QUIET = _quiet()


def quieted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without these warnings."""
    enter, leave = QUIET

    def run(*args: Any, **kwargs: Any) -> Any:
        token = enter()
        try:
            return function(*args, **kwargs)
        finally:
            leave(token)

    return run
