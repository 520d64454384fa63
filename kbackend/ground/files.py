"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def path_of(path: str | bytes | os.PathLike[Any]) -> str:
    """The path of a file as text.

    Raises:
        ValueError: an empty one, which the system would take for the folder.
    """
    name = os.fsdecode(path)
    if not name:
        raise ValueError("the name of the file is empty")
    return name


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that a kill at any instant leaves the old one or the new one.

    Raises:
        OSError: the folder does not exist or cannot be written; the error names the path that was given.
    """
    with written_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """As :func:`write_atomically`, for content that is written in pieces; an error leaves the old file.

    Raises:
        OSError: as there.
    """
    target = Path(os.path.realpath(path_of(path)))  # a link stays, as where a file is opened to be written
    remove_abandoned(target.parent, glob.escape(target.name))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    except OSError as error:
        raise _named(error, path, f"in the folder {str(target.parent)!r}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        if isinstance(error, OSError) and error.errno is not None:
            raise _named(error, path, "when it was written") from None
        raise
    _sync_folder(target.parent)


def check_overwrite(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Refuse to replace a file without ``overwrite``.

    Raises:
        FileExistsError: there is one.
    """
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)} exists; pass overwrite=True to replace it")


def _named(error: OSError, path: str | os.PathLike[str], where: str) -> OSError:
    """The error with the user's path in place of the temporary file's."""
    return OSError(error.errno, f"{error.strerror} {where}", os.fspath(path))


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove temporary files of writers that were killed: older than a minute, and locked by nobody.

    Args:
        folder: where they are.
        pattern: of the names of the files that were to be written, as in ``glob``.
    """
    for found in folder.glob(f".{pattern}.*.tmp"):
        with contextlib.suppress(OSError), open(found, "rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > 60 and _lock(file.fileno()):
                os.unlink(found)


def _lock(descriptor: int) -> bool:
    """Lock an open file, until it is closed, unless another process has; systems without such locks have none."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Without this a crash of the machine may undo the rename. Windows has no such call."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
