"""Files with a known hash, copied to the cache."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from kbackend.config import config_path
from kbackend.ground.files import write_atomically

_LENGTHS = {32: "md5", 64: "sha256"}


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
    """A local file in the cache, checked by its hash and extracted where that is asked for. Nothing is downloaded.

    Args:
        fname: the name in the cache; that of the origin when None.
        origin: a path, or an address that begins with 'file:'.
        untar: as ``extract``.
        md5_hash, file_hash: the hash that the file must have.
        cache_subdir: a folder in the cache.
        hash_algorithm: 'auto' (by the length of the hash), 'md5' or 'sha256'.
        extract: whether an archive is extracted beside it.
        archive_format: 'auto', 'zip', 'tar', None for none.
        cache_dir: the cache; the folder of the config file when None.
        force_download: whether the file is copied although the cache has it.

    Returns:
        The path of the file, or of the folder with what the archive holds.

    Raises:
        NotImplementedError: an address on the network; download the file by other means and give its path.
        ValueError: another hash, or no origin.
    """
    if origin is None:
        raise ValueError("get_file needs an origin")
    source = _local(str(origin))
    name = fname or source.name
    folder = Path(cache_dir if cache_dir is not None else config_path().parent) / cache_subdir
    target = folder / name
    if folder.resolve() not in target.resolve().parents:
        raise ValueError(f"fname {name!r} leads out of the cache")
    wanted = file_hash or md5_hash
    if force_download or not target.exists() or wanted and _hash(target, wanted, hash_algorithm) != wanted.lower():
        content = source.read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        found = wanted and hashlib.new(_algorithm(wanted, hash_algorithm), content).hexdigest()
        if wanted and found != wanted.lower():
            raise ValueError(f"{source} has the hash {found}, not {wanted}")
        write_atomically(target, content)
    return str(_extracted(target, archive_format)) if extract or untar else str(target)


def _local(origin: str) -> Path:
    parts = urllib.parse.urlparse(origin)
    if parts.scheme == "file":
        return Path(urllib.request.url2pathname(parts.path))
    if "://" in origin:
        raise NotImplementedError(
            f"get_file downloads nothing; fetch {origin} by other means and give the path of the file as origin"
        )
    return Path(origin)


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
    kinds = ("tar", "zip") if kind == "auto" else [kind] if isinstance(kind, str) else list(kind or ())
    folder = path.with_name(f"{path.name}.extracted")
    if folder.exists():
        if folder.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return folder
        shutil.rmtree(folder)
    unfinished = path.with_name(f"{path.name}.extracting")
    shutil.rmtree(unfinished, ignore_errors=True)
    if "tar" in kinds and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(unfinished, filter="data")
    elif "zip" in kinds and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archived:
            archived.extractall(unfinished)
    else:
        raise ValueError(f"{path} is no archive of the kinds {', '.join(kinds)}")
    unfinished.rename(folder)
    return folder
