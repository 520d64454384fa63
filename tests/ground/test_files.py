"""Errors of writing name the path that the user gave."""

import os
import stat

import pytest

from kbackend.ground.files import write_atomically


def test_a_missing_folder(tmp_path):
    path = tmp_path / "no" / "such" / "file.bin"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, b"x")
    assert caught.value.filename == str(path) and f"folder '{path.parent}'" in str(caught.value)


def test_a_folder_in_the_place_of_the_file(tmp_path):
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(OSError) as caught:
        write_atomically(path, b"x")
    assert caught.value.filename == str(path) and ".tmp" not in str(caught.value)
    assert os.listdir(tmp_path) == ["taken"]


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError) as caught:
        write_atomically(tmp_path / "file" / "inside", b"x")
    assert caught.value.filename == str(tmp_path / "file" / "inside") and ".tmp" not in str(caught.value)


@pytest.mark.parametrize("path", ["", b""])
def test_an_empty_name_is_named(path):
    with pytest.raises(ValueError, match="the name of the file is empty"):
        write_atomically(path, b"x")


def test_a_path_may_be_bytes(tmp_path):
    write_atomically(os.fsencode(tmp_path / "a"), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions, and links for administrators")
def test_links_and_permissions_stay(tmp_path):
    """A file that only its owner may read stays so, and a link goes on to point at what was written."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 2
