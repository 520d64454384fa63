"""Numbers for automatic names: ``K.get_uid``."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_numbers: Counter[str] = Counter()


def get_uid(prefix: str = "") -> int:
    """1 at the first call with a prefix, then 2, and so on; ``reset_uids`` and ``clear_session`` start again.

    Args:
        prefix: a string that has a count of its own.

    >>> from kbackend import K
    >>> K.reset_uids()
    >>> K.get_uid("dense"), K.get_uid("dense"), K.get_uid("lstm")
    (1, 2, 1)
    """
    with _lock:
        _numbers[prefix] += 1
        return _numbers[prefix]


def reset_uids() -> None:
    """Start the counts of :func:`get_uid` again.

    >>> from kbackend import K
    >>> K.reset_uids()
    >>> K.get_uid("dense"), K.get_uid("dense")
    (1, 2)
    """
    with _lock:
        _numbers.clear()
