"""Structures of HDF5 files on which the C library never ends or takes all memory: each is refused before it reads them.

Each test changes one number of a right file, where the format says that it stands.
"""

import io
import json
import struct

import numpy as np
import pytest

from kbackend.models import load_model
from kbackend.saving import FormatError
from kbackend.saving.keras import hdf5, heaps

h5py = pytest.importorskip("h5py")
pytestmark = pytest.mark.timeout(60)  # what they try to prevent has no end

TEXT = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": []}})


def content(libver="earliest", attributes=1):
    """A file with a text, an array, and groups, one of them removed, so that a heap has free blocks."""
    out = io.BytesIO()
    with h5py.File(out, "w", libver=libver) as file:
        for number in range(attributes):
            file.attrs["model_config" if not number else f"more{number}"] = TEXT
        group = file.create_group("model_weights")
        group["a_long_name_that_is_removed"] = np.ones(3)
        group["kept"] = np.arange(4.0)
        del group["a_long_name_that_is_removed"]
    return bytearray(out.getvalue())


def read(data):
    with hdf5.opened(memoryview(bytes(data)), "h5") as root:
        return root.text("model_config"), root.group("model_weights").array("kept").tolist()


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_the_files_of_these_tests_are_right_as_such(libver):
    assert read(content(libver)) == (TEXT, [0.0, 1.0, 2.0, 3.0])
    assert read(content(libver, attributes=7))[0] == TEXT
    assert read(content(attributes=40))[0] == TEXT


def refused(data, words):
    with pytest.raises(FormatError, match=words) as caught:
        read(data)
    assert caught.value.member.startswith("h5")


# ------------------------------------------------------------------------------------- heaps


def free_block(data):
    """The places of a local heap's head and of its first free block."""
    for start in heaps._found(memoryview(data), b"HEAP"):
        *_, free, address = heaps._LOCAL.unpack_from(data, start)
        if free not in heaps._ENDS:
            return start, address + free, free
    raise AssertionError("no local heap has a free block")


def test_free_blocks_that_lead_to_themselves():
    data = content()
    _, place, free = free_block(data)
    struct.pack_into("<Q", data, place, free)
    refused(data, "the free blocks of the heap at byte .* lead in a circle or out of it")


@pytest.mark.parametrize("offset", [1 << 40, (1 << 64) - 2])
def test_free_blocks_that_lead_out_of_the_heap(offset):
    data = content()
    start, place, _ = free_block(data)
    struct.pack_into("<Q", data, place, offset)
    refused(data, f"the free blocks of the heap at byte {start} lead in a circle or out of it")


@pytest.mark.parametrize("length", [(1 << 64) - 16, (1 << 64) - 1, 1 << 40])
def test_objects_of_a_global_heap_that_do_not_fit(length):
    """The sum of place and length would be 0 again for some."""
    data = content()
    start = data.index(b"GCOL")
    struct.pack_into("<Q", data, start + 16 + 8, length)
    refused(data, f"an object of the heap at byte {start} has {length} bytes, which do not fit")


def test_free_space_of_a_global_heap_of_no_size():
    data = content()
    start = data.index(b"GCOL")
    at = start + 16 + 16 + -(-len(TEXT) // 8) * 8
    number, _, _, _ = heaps._OBJECT.unpack_from(data, at)
    assert number == 0  # the free space behind the text
    struct.pack_into("<Q", data, at + 8, 0)
    refused(data, f"an object of the heap at byte {start} has 0 bytes, which do not fit")


def test_signatures_across_parts_are_found():
    size = 1 << 24
    data = bytearray(2 * size)
    places = [size - 2, size + 5, 2 * size - 4]
    for place in places:
        data[place : place + 4] = b"HEAP"
    assert heaps._found(memoryview(data), b"HEAP") == places


# ------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("attributes", [1, 5])  # which do not fit into the first part of a header
def test_texts_longer_than_the_file(libver, attributes):
    data = content(libver, attributes)
    reference = struct.pack("<IQ", len(TEXT), data.index(b"GCOL"))
    assert data.count(reference) >= 1
    struct.pack_into("<I", data, data.rindex(reference), (1 << 32) - 1)
    with pytest.raises(FormatError, match="an attribute has a text that is longer than the file"):
        heaps.check_texts(memoryview(bytes(data)), root_of(data), "h5")
    if libver == "earliest":  # newer headers have checksums, which the library compares
        refused(data, "an attribute has a text that is longer than the file")


def root_of(data):
    """The address of the header of the root, by the version of the superblock."""
    (address,) = struct.unpack_from("<Q", data, 64 if data[8] == 0 else 36)
    return address


def test_attributes_outside_of_the_header():
    """Where texts of them would not be seen; the library stores more than eight so, in its newest form."""
    refused(content("latest", attributes=9), "its attributes lie in a heap of their own")


def test_a_header_that_goes_on_in_itself():
    data = content(attributes=5)
    root = root_of(data)
    (size,) = struct.unpack_from("<I", data, root + 8)
    at, end = root + 16, root + 16 + size
    while at < end:
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == heaps._CONTINUATION:
            struct.pack_into("<QQ", data, at + 8, root + 16, size)
            break
        at += 8 + length
    else:
        raise AssertionError("the header has one part")
    heaps.check_texts(memoryview(bytes(data)), root, "h5")  # which ends; the library sees the rest


@pytest.mark.parametrize("cut", [10, 17])
def test_headers_that_are_cut_off(cut):
    data = content()
    root = root_of(data)
    with pytest.raises(FormatError, match="the attributes are damaged"):
        heaps.check_texts(memoryview(bytes(data[: root + cut - 8])), root, "h5")


# ------------------------------------------------------------------------------------- heads and counts


@pytest.mark.parametrize(
    ("place", "value"), [(8, b"\x04"), (13, b"\x04"), (14, b"\x04"), (24, struct.pack("<Q", 512))],
    ids=["version", "offsets", "lengths", "base"],
)  # fmt: skip
def test_heads_that_no_file_of_keras_has(place, value):
    data = content()
    data[place : place + len(value)] = value
    refused(data, "its head is none that files of Keras have")


def test_files_shorter_than_a_head():
    refused(content()[:30], "shorter than the head")


def test_entries_are_counted(monkeypatch):
    monkeypatch.setattr(hdf5, "_MOST", 1)
    refused(content(), "the file has more than 1 entries")


def test_a_model_that_is_read_checks_its_heaps(tmp_path):
    data = content()
    _, place, free = free_block(data)
    struct.pack_into("<Q", data, place, free)
    (tmp_path / "m.h5").write_bytes(data)
    with pytest.raises(FormatError, match=r"m\.h5: h5: the free blocks of the heap"):
        load_model(tmp_path / "m.h5")


def test_windows_of_adaptive_pooling_are_counted(tmp_path):
    """A small file must not ask for a node for each of many windows."""
    layer = {"class_name": "AdaptiveMaxPooling1D", "config": {"name": "p", "output_size": 1 << 17}, "name": "p"}
    start = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 1 << 18, 1]}, "name": "x"}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [start, layer]}}
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "3.0.0"
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    with pytest.raises(FormatError, match="layer 'p': .*output_size must be at most 65536"):
        load_model(tmp_path / "m.h5")
