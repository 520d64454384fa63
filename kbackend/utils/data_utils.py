"""Files in the cache, datasets and queues, with Keras 2's arguments and results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.training.sources.sequence import Sequence
from kbackend.utils import files
from kbackend.utils.data.enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer
from kbackend.utils.files import validate_file

__all__ = ["GeneratorEnqueuer", "OrderedEnqueuer", "Sequence", "SequenceEnqueuer", "get_file", "validate_file"]


def get_file(
    fname: str,
    origin: Any = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
) -> str:
    """A file in the cache as :func:`kbackend.utils.get_file` gives it; archives are extracted beside it, as by Keras 2.

    Args:
        fname: the name in the cache.
        untar: whether it is a tar archive, kept as ``fname.tar.gz``, that holds ``fname``.
        extract: whether an archive is extracted into its folder.
        origin, md5_hash, file_hash, cache_subdir, hash_algorithm, archive_format, cache_dir: as there.

    Returns:
        The path of the file, the archive itself with ``extract``; with ``untar`` that of ``fname``.
    """
    name = f"{fname}.tar.gz" if untar else fname
    path = Path(files.get_file(
        name, origin, md5_hash=md5_hash, file_hash=file_hash, cache_subdir=cache_subdir, hash_algorithm=hash_algorithm,
        cache_dir=cache_dir,
    ))  # fmt: skip
    if untar:
        held = path.parent / fname
        if not held.exists():
            files.unpack(path, "tar", path.parent)
        return str(held)
    if extract:
        files.unpack(path, archive_format, path.parent)
    return str(path)


_suggest_in(__name__)
