"""Files with a known hash in the cache, copied or fetched to it, and archives."""

from __future__ import annotations

import hashlib
import http.client
import posixpath
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kbackend.config import config_path
from kbackend.ground.files import written_atomically

_LENGTHS = {32: "md5", 64: "sha256"}
#: seconds without an answer
_PATIENCE = 30


def get_file(
    fname: str | None = None,
    origin: Any = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """A file in the cache, checked by its hash and extracted where that is asked for.

    What the cache has, Keras's in ``~/.keras`` too, is not fetched again.

    Args:
        fname: the name in the cache; that of the origin when None.
        origin: a path, or an address that begins with 'file:', 'http:' or 'https:'; None where the cache must have it.
        untar: as ``extract``.
        md5_hash, file_hash: the hash that the file must have.
        cache_subdir: a folder in the cache.
        hash_algorithm: 'auto' (by the length of the hash), 'md5' or 'sha256'.
        extract: whether an archive is extracted beside it.
        archive_format: 'auto', 'zip', 'tar', None for none.
        cache_dir: the cache; the folder of the config file when None.
        force_download: whether the file is fetched although the cache has it.

    Returns:
        The path of the file, or of the folder with what the archive holds.

    Raises:
        ConnectionError: the address cannot be reached; the message says where the file may be put by other means.
        FileNotFoundError: no origin, and the cache has no such file.
        ValueError: another hash, neither name nor origin, or an address of another kind.

    >>> import pathlib, tempfile
    >>> from kbackend import utils
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> size = (folder / "a.txt").write_text("text")
    >>> path = utils.get_file("b.txt", (folder / "a.txt").as_uri(), cache_dir=folder)
    >>> pathlib.Path(path).read_text()
    'text'
    """
    if origin is None and fname is None:
        raise ValueError("get_file needs a name or an origin")
    name = fname or posixpath.basename(urllib.parse.urlparse(str(origin)).path) or str(origin)
    caches = [config_path().parent, Path.home() / ".keras"] if cache_dir is None else [Path(cache_dir)]
    target = _within(caches[0] / cache_subdir, name)
    wanted = file_hash or md5_hash
    if wanted:
        _algorithm(wanted, hash_algorithm)
    kept = [path for path in (_within(cache / cache_subdir, name) for cache in caches) if path.exists()]
    found = next((path for path in kept if not wanted or validate_file(path, wanted, hash_algorithm)), None)
    if found is None or force_download:
        _fetch(origin, target, wanted, hash_algorithm)
        found = target
    return str(_extracted(found, archive_format)) if extract or untar else str(found)


def validate_file(fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Whether a file has a hash.

    Args:
        fpath: the file.
        file_hash: the hash in hexadecimal digits.
        algorithm: 'auto' (by the length of the hash), 'md5' or 'sha256'.
        chunk_size: taken for Keras's sake.
    """
    return _hash(Path(fpath), file_hash, algorithm) == file_hash.lower()


def _within(folder: Path, name: str) -> Path:
    path = folder / name
    if folder.resolve() not in path.resolve().parents:
        raise ValueError(f"fname {name!r} leads out of the cache")
    return path


def _fetch(origin: Any, target: Path, wanted: str | None, algorithm: str) -> None:
    """Write what is at the origin to a file, whole and with its hash, or not at all."""
    if origin is None:
        raise FileNotFoundError(f"get_file has no origin for {target.name}; put the file to {target}")
    with _opened(str(origin), target) as source:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.new(_algorithm(wanted, algorithm)) if wanted else None
        with written_atomically(target) as file:
            while piece := source.read(1 << 20):
                file.write(piece)
                if digest is not None:
                    digest.update(piece)
            if wanted and digest is not None and digest.hexdigest() != wanted.lower():
                raise ValueError(f"{origin} has the hash {digest.hexdigest()}, not {wanted}")


@contextmanager
def _opened(origin: str, target: Path) -> Iterator[Any]:
    parts = urllib.parse.urlparse(origin)
    if parts.scheme == "file" or "://" not in origin:
        with open(urllib.request.url2pathname(parts.path) if parts.scheme == "file" else origin, "rb") as file:
            yield file
        return
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"get_file fetches files, http and https, and not {origin}")
    try:
        with urllib.request.urlopen(origin, timeout=_PATIENCE) as answer:
            yield answer
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise ConnectionError(
            f"{origin} cannot be fetched ({getattr(error, 'reason', error)}); fetch it by other means and put it to "
            f"{target}, or give the path of the file as origin"
        ) from error


def _algorithm(wanted: str, algorithm: str) -> str:
    if algorithm not in ("auto", "md5", "sha256"):
        raise ValueError(f"hash_algorithm must be 'auto', 'md5' or 'sha256', it is {algorithm!r}")
    if algorithm == "auto" and len(wanted) not in _LENGTHS:
        raise ValueError(f"{wanted!r} is neither an MD5 nor a SHA-256 hash")
    return _LENGTHS[len(wanted)] if algorithm == "auto" else algorithm


def _hash(path: Path, wanted: str, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, _algorithm(wanted, algorithm)).hexdigest()


def _extracted(path: Path, kind: Any) -> Path:
    """The folder with what an archive holds; it is complete or not there."""
    folder = path.with_name(f"{path.name}.extracted")
    if folder.exists():
        if folder.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return folder
        shutil.rmtree(folder)
    unfinished = path.with_name(f"{path.name}.extracting")
    shutil.rmtree(unfinished, ignore_errors=True)
    unpack(path, kind, unfinished)
    unfinished.rename(folder)
    return folder


def unpack(path: Path, kind: Any, folder: Path) -> None:
    """Extract an archive; nothing of it gets outside the folder.

    Args:
        path: the archive.
        kind: 'auto', 'tar', 'zip', several of them, or None for none.
        folder: where to.

    Raises:
        ValueError: it is none of these.
        tarfile.TarError: a member that leads out of the folder; before Python 3.11.4 a link too.
    """
    kinds = ("tar", "zip") if kind == "auto" else [kind] if isinstance(kind, str) else list(kind or ())
    if "tar" in kinds and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            _unpack_tar(archive, folder)
    elif "zip" in kinds and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archived:  # takes names as relative to the folder, without '..'
            archived.extractall(folder)
    else:
        raise ValueError(f"{path} is no archive of the kinds {', '.join(kinds)}")


def _unpack_tar(archive: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    members = archive.getmembers()
    for member in members:  # Python before 3.11.4 has no filters
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} is not extracted: it is no file or folder inside of the archive")
        member.mode = 0o755 if member.isdir() else 0o644
    archive.extractall(folder, members)
