"""Threads and processes that make the batches of a dataset, which come in their order."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from kbackend.training.data import DataError
from kbackend.training.sources.base import Reading


class Workers:
    """Makers of ``data[key]``.

    Args:
        data: the dataset.
        reading: how many workers and of which kind; 0 and one thread are the thread that asks.
    """

    def __init__(self, data: Any, reading: Reading) -> None:
        self._data = data
        self._reading = reading
        self._pool: Executor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._passes = 0

    def made(self, keys: Iterable[Any], known: Mapping[Any, Any]) -> Iterator[Any]:
        """``data[key]`` for each key, but for those that are known."""
        processes = self._reading.use_multiprocessing and self._reading.workers > 0
        if not processes and self._reading.workers <= 1:
            return (known[key] if known and key in known else self._data[key] for key in keys)
        return self._ahead(self._for_processes() if processes else self._for_threads(), keys, known)

    def _for_threads(self) -> Callable[[Any], Future[Any]]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._reading.workers, "kbackend-worker")
        pool, item = self._pool, self._data.__getitem__
        return lambda key: pool.submit(item, key)

    def _for_processes(self) -> Callable[[Any], Future[Any]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._reading.workers, multiprocessing.get_context(_method()), initializer=INITIALIZER
            )
            self._folder = tempfile.TemporaryDirectory(prefix="kbackend-dataset-")
        assert self._folder is not None
        self._passes += 1  # the dataset may change between two passes: each has its own copy
        path = os.path.join(self._folder.name, str(self._passes))
        try:
            with open(path, "wb") as file:
                pickle.dump(self._data, file, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise DataError(
                f"use_multiprocessing=True needs a dataset that can be pickled, {type(self._data).__name__} cannot: "
                f"{error}. Open files and connections in __getitem__, or leave use_multiprocessing out"
            ) from error
        pool = self._pool
        return lambda key: pool.submit(_item, path, key)

    def _ahead(
        self, submit: Callable[[Any], Future[Any]], keys: Iterable[Any], known: Mapping[Any, Any]
    ) -> Iterator[Any]:
        waiting: deque[Future[Any]] = deque()
        depth = max(self._reading.max_queue_size, self._reading.workers)
        try:
            for key in keys:
                waiting.append(_finished(known[key]) if known and key in known else submit(key))
                if len(waiting) >= depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise DataError(
                f"a worker process of the dataset {type(self._data).__name__} ended. Workers import the module of the "
                "dataset's class: it must be in a file, and a script must guard what it runs with "
                "`if __name__ == '__main__':`; or leave use_multiprocessing out"
            ) from error
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the threads or processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()
        self._pool = self._folder = None


def _method() -> str:
    """Processes do not start as copies of this one, whose threads may hold locks that nobody would release."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _finished(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


#: a function of a module that each process calls first, None for none
INITIALIZER: Callable[[], None] | None = None

_loaded: dict[str, Any] = {}


def _item(path: str, key: Any) -> Any:
    """In a worker process: ``data[key]`` of the dataset in a file that the parent wrote."""
    if path not in _loaded:
        _loaded.clear()
        with open(path, "rb") as file:
            _loaded[path] = pickle.load(file)
    return _loaded[path][key]
