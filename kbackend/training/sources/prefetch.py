"""Reading ahead in a thread, so that the next batch is ready when a step ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

#: seconds to wait at the end for a thread that is inside the user's generator; an interrupt must not hang on it
_PATIENCE = 2.0
#: seconds that an item may take where it is made without a thread, which costs as much; that all may take beyond; and
#: how much of that one may count, as any item takes long where the machine ran another process meanwhile
_QUICK, _MORE, _MOST = 3e-5, 1e-3, 2.5e-4


class _End(NamedTuple):
    error: BaseException | None


def prefetched(items: Iterator[T], depth: int) -> Iterator[T]:
    """The items, of which up to ``depth`` are made in a thread before they are taken.

    What making an item raises comes after the items before it. The thread ends with the iterator.

    >>> list(prefetched(iter([1, 2, 3]), 2))
    [1, 2, 3]
    """
    ready: SimpleQueue[Any] = SimpleQueue()
    room = threading.Semaphore(depth)
    left = threading.Event()

    def read() -> None:
        try:
            room.acquire()
            while not left.is_set():
                try:
                    item = next(items)
                except StopIteration:
                    break
                ready.put(item)
                room.acquire()
            ready.put(_End(None))
        except BaseException as error:
            ready.put(_End(error))

    thread = threading.Thread(target=copy_context().run, args=(read,), name="kbackend-batches", daemon=True)
    thread.start()
    some, taken = max(depth // 2, 1), 0  # the thread wakes up once for several batches
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            taken += 1
            if taken == some:
                room.release(some)
                taken = 0
            yield item
    finally:
        left.set()
        room.release(depth)
        thread.join(_PATIENCE)


def prefetched_if_slow(items: Iterator[T], depth: int) -> Iterator[T]:
    """The items, each made when it is taken while that takes less time than a thread costs: batches that are ready. A
    thread makes the others once they took a millisecond more, four of them at least; see :func:`prefetched`.

    >>> list(prefetched_if_slow(iter([1, 2, 3]), 2))
    [1, 2, 3]
    """
    more = 0.0
    while more < _MORE:
        start = time.perf_counter()
        try:
            item = next(items)
        except StopIteration:
            return
        more = max(more + min(time.perf_counter() - start - _QUICK, _MOST), 0.0)
        yield item
    yield from prefetched(items, depth)
