"""Pictures, texts and sounds in folders; files in the cache."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import shutil
import tarfile
import threading
import wave
import zipfile

import numpy as np
import pytest
from PIL import Image

from kbackend import Input, Model, layers, utils
from kbackend.utils import data_utils

RNG = np.random.default_rng(3)


@pytest.fixture
def pictures(tmp_path):
    """Six pictures of two classes, whose red is the number of the file."""
    for number, name in enumerate(["cat/a", "cat/b", "cat/deep/c", "dog/a", "dog/b", "dog/c"]):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((8, 12, 3), 100, np.uint8)
        pixels[..., 0] = number
        Image.fromarray(pixels).save(path)
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    return tmp_path


def test_pictures_by_class(pictures, keras, capsys):
    options = {"image_size": (4, 6), "batch_size": 4, "shuffle": False}
    found = utils.image_dataset_from_directory(pictures, **options)
    assert capsys.readouterr().out == "Found 6 files of 2 classes.\n"
    assert found.class_names == ["cat", "dog"] and len(found) == 2 and len(found.file_paths) == 6
    for (x, y), (a, b) in zip(found, keras.utils.image_dataset_from_directory(pictures, **options), strict=True):
        np.testing.assert_allclose(x, np.asarray(a), atol=0.5)
        np.testing.assert_array_equal(y, np.asarray(b))
        assert x.dtype == np.float32 and y.dtype == np.int32


def test_labels_of_all_modes(pictures):
    def labels(**options):
        made = utils.image_dataset_from_directory(pictures, image_size=(2, 2), shuffle=False, verbose=False, **options)
        return made[0][1].tolist()

    assert labels(label_mode="categorical")[:1] == [[1.0, 0.0]]
    assert labels(label_mode="binary") == [[0.0]] * 3 + [[1.0]] * 3
    assert labels(class_names=["dog", "cat"]) == [0, 0, 0, 1, 1, 1]
    assert labels(labels=[5, 4, 3, 2, 1, 0]) == [5, 4, 3, 2, 1, 0]
    alone = utils.image_dataset_from_directory(pictures, None, image_size=(2, 2), batch_size=None, verbose=False)
    assert alone[0].shape == (2, 2, 3)


def test_parts_share_no_files_and_hold_all(pictures):
    options = {"validation_split": 0.34, "seed": 4, "verbose": False, "image_size": (2, 2)}
    both = utils.image_dataset_from_directory(pictures, subset="both", **options)
    one = [utils.image_dataset_from_directory(pictures, subset=s, **options) for s in ("training", "validation")]
    assert [sorted(p.file_paths) for p in both] == [sorted(p.file_paths) for p in one]
    assert [len(p.file_paths) for p in one] == [4, 2] and not set(one[0].file_paths) & set(one[1].file_paths)
    orders = [[int(v) for v in both[0][0][0][:, 0, 0, 0]] for _ in range(2) if both[0].on_epoch_end() is None]
    assert sorted(orders[0]) == sorted(orders[1])


def test_shapes_are_kept_by_cutting_or_borders(pictures):
    options = {"image_size": (8, 8), "shuffle": False, "verbose": False, "color_mode": "grayscale"}
    cut = utils.image_dataset_from_directory(pictures, crop_to_aspect_ratio=True, **options)[0][0]
    bordered = utils.image_dataset_from_directory(pictures, pad_to_aspect_ratio=True, **options)[0][0]
    assert cut.shape == bordered.shape == (6, 8, 8, 1)
    assert cut.min() > 60 and bordered[0, 0].max() == 0 and bordered[0, 4].min() > 60
    first = utils.image_dataset_from_directory(pictures, data_format="channels_first", **options)[0][0]
    assert first.shape == (6, 1, 8, 8)


@pytest.mark.parametrize(("options", "message"), [
    ({"label_mode": "text"}, "label_mode must be"), ({"labels": "none"}, "labels must be"),
    ({"labels": [1]}, "1 labels and 6 files"), ({"class_names": ["cat"]}, "class_names are"),
    ({"validation_split": 0.5}, "must be given together"), ({"subset": "both"}, "must be given together"),
    ({"validation_split": 2.0, "subset": "both"}, "between 0 and 1"),
    ({"validation_split": 0.5, "subset": "all"}, "subset must be"),
    ({"validation_split": 0.5, "subset": "both"}, "needs a seed"), ({"batch_size": 0}, "batch_size must be positive"),
    ({"format": "csv"}, "format must be"),
])  # fmt: skip
def test_arguments_that_do_not_fit(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(pictures, verbose=False, **options)


def test_a_folder_without_files(tmp_path):
    with pytest.raises(ValueError, match="has no files with the endings"):
        utils.image_dataset_from_directory(tmp_path, verbose=False)


def test_a_model_learns_from_batches_of_files(pictures):
    x = Input((2, 2, 3))
    model = Model(x, layers.Dense(1, kernel_initializer="ones")(layers.Flatten()(x)))
    model.compile("sgd", "mse")
    batches = list(utils.image_dataset_from_directory(
        pictures, image_size=(2, 2), label_mode="binary", batch_size=2, verbose=False
    ))
    epochs = [sum(model.train_on_batch(pixels / 255, labels) for pixels, labels in batches) for _ in range(20)]
    assert epochs[-1] < epochs[0] / 2


def test_texts(tmp_path):
    for name, text in (("neg/a", "bad"), ("neg/b", "worse one"), ("pos/a", "gut ä")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    x, y = utils.text_dataset_from_directory(tmp_path, shuffle=False, max_length=5, verbose=False)[0]
    assert x.tolist() == ["bad", "worse", "gut ä"] and y.tolist() == [0, 0, 1]


def test_sounds(tmp_path):
    for name, samples, width in (("a/1", [0, 16384, -32768], 2), ("b/1", [32767], 2), ("c/1", [1, 2], 1)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(width)
            file.setframerate(8000)
            file.writeframes(np.array(samples, "<i2" if width == 2 else "u1").tobytes())
    made = utils.audio_dataset_from_directory(tmp_path, shuffle=False, batch_size=2, verbose=False)
    x, y = made[0]
    np.testing.assert_allclose(x[..., 0], [[0, 0.5, -1], [32767 / 32768, 0, 0]])
    with pytest.raises(ValueError, match="has 8 bits at 8000 Hz"):
        made[1]
    made = utils.audio_dataset_from_directory(tmp_path, shuffle=False, output_sequence_length=2, verbose=False)
    assert made._make(np.array([0]))[0].tolist() == [[[0.0], [0.5]]]
    with pytest.raises(ValueError, match="16 bits at 44100 Hz are needed"):
        utils.audio_dataset_from_directory(tmp_path, shuffle=False, sampling_rate=44100, verbose=False)[0]


def test_pictures_as_arrays(keras, tmp_path):
    x = RNG.uniform(size=(4, 5, 3)).astype("float32")
    for scale in (True, False):
        ours, theirs = utils.array_to_img(x * 200, scale=scale), keras.utils.array_to_img(x * 200, scale=scale)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    np.testing.assert_array_equal(utils.img_to_array(ours), keras.utils.img_to_array(ours))
    assert utils.img_to_array(ours, "channels_first").shape == (3, 4, 5)
    utils.save_img(tmp_path / "x.png", x)
    smooth = {"target_size": (6, 6), "interpolation": "bilinear"}
    for options in ({}, {"color_mode": "grayscale"}, {"target_size": (2, 3)}, smooth):
        found = utils.load_img(tmp_path / "x.png", **options)
        expected = keras.utils.load_img(tmp_path / "x.png", **options)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert utils.load_img((tmp_path / "x.png").read_bytes(), target_size=(3, 3), keep_aspect_ratio=True).size == (3, 3)
    utils.save_img(tmp_path / "x.jpg", RNG.uniform(size=(3, 3, 4)))
    for call in (
        lambda: utils.array_to_img(np.ones((2, 2))),
        lambda: utils.load_img(tmp_path / "x.png", color_mode="cmyk"),
        lambda: utils.load_img(tmp_path / "x.png", target_size=(2, 2), interpolation="best"),
        lambda: utils.img_to_array(np.ones(3)),
    ):
        with pytest.raises(ValueError):
            call()


def test_a_local_file_is_copied_and_checked(tmp_path):
    source = tmp_path / "data.bin"
    source.write_bytes(b"content")
    good = hashlib.sha256(b"content").hexdigest()
    options = {"cache_dir": tmp_path / "cache", "file_hash": good}
    path = utils.get_file(origin=source, **options)
    assert path == str(tmp_path / "cache" / "datasets" / "data.bin") and open(path, "rb").read() == b"content"
    source.write_bytes(b"changed")
    assert open(utils.get_file(origin=source.as_uri(), **options), "rb").read() == b"content"
    with pytest.raises(ValueError, match="has the hash"):
        utils.get_file("other", source, **options)
    assert not (tmp_path / "cache" / "datasets" / "other").exists()
    md5 = hashlib.md5(b"changed").hexdigest()
    path = utils.get_file("data.bin", source, md5_hash=md5, cache_dir=tmp_path / "cache")
    assert open(path, "rb").read() == b"changed"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_are_extracted(tmp_path, kind):
    source = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("inner/x.txt", "hello")
    else:
        with tarfile.open(source, "w") as archive:
            entry = tarfile.TarInfo("inner/x.txt")
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"hello"))
    for _ in range(2):
        folder = utils.get_file(origin=source, extract=True, cache_dir=tmp_path / "cache")
        with open(f"{folder}/inner/x.txt") as file:
            assert file.read() == "hello"
    with pytest.raises(ValueError, match="is no archive"):
        utils.get_file("b", origin=__file__, untar=True, cache_dir=tmp_path / "cache")


@pytest.fixture
def address(tmp_path):
    """The address of a server of this machine that has a.bin."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a.bin").write_bytes(b"content")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")
    handler.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/a.bin"
        server.shutdown()


def test_an_address_is_fetched_once(address, tmp_path, monkeypatch):
    options = {"cache_dir": tmp_path / "cache", "md5_hash": hashlib.md5(b"content").hexdigest()}
    path = utils.get_file(origin=address, **options)
    assert path == str(tmp_path / "cache" / "datasets" / "a.bin") and open(path, "rb").read() == b"content"
    assert data_utils.validate_file(path, options["md5_hash"])
    (tmp_path / "served" / "a.bin").write_bytes(b"changed")
    assert utils.get_file(origin=address, **options) == path
    with pytest.raises(ValueError, match="has the hash"):
        utils.get_file(origin=address, force_download=True, **options)
    assert open(path, "rb").read() == b"content" and len(list((tmp_path / "cache" / "datasets").iterdir())) == 1
    with pytest.raises(ConnectionError, match=r"b.bin cannot be fetched .*put it to .*b.bin"):
        utils.get_file(origin=address.replace("a.bin", "b.bin"), cache_dir=tmp_path / "cache")
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    (tmp_path / ".keras" / "models").mkdir(parents=True)
    (tmp_path / ".keras" / "models" / "w.h5").write_bytes(b"weights")
    kept = utils.get_file("w.h5", "http://127.0.0.1:9/w.h5", cache_subdir="models")
    assert kept == str(tmp_path / ".keras" / "models" / "w.h5")


def test_keras_2_extracts_beside_the_archive(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "x.txt").write_text("hello")
    shutil.make_archive(str(tmp_path / "a"), "gztar", tmp_path, "inner")
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path, "inner")
    folder = data_utils.get_file("inner", tmp_path / "a.tar.gz", untar=True, cache_dir=tmp_path / "cache")
    assert folder == str(tmp_path / "cache" / "datasets" / "inner")
    archive = data_utils.get_file("a.zip", tmp_path / "a.zip", extract=True, cache_dir=tmp_path / "other")
    for place in (tmp_path / "cache" / "datasets", (tmp_path / "other" / "datasets")):
        assert (place / "inner" / "x.txt").read_text() == "hello"
    assert archive == str(tmp_path / "other" / "datasets" / "a.zip")


@pytest.fixture(params=["as it is", "before 3.11.4"])
def python(request, monkeypatch):
    """A Python without filters of tarfile too, as Debian 12 has it."""
    if request.param != "as it is":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def test_a_tar_is_extracted_on_every_python(tmp_path, python):
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "inner" / "deep" / "x.txt").write_text("hello")
    shutil.make_archive(str(tmp_path / "a"), "gztar", tmp_path, "inner")
    data_utils.get_file("inner", tmp_path / "a.tar.gz", untar=True, cache_dir=tmp_path / "cache")
    assert (tmp_path / "cache" / "datasets" / "inner" / "deep" / "x.txt").read_text() == "hello"


def _outside(kind):
    member = tarfile.TarInfo("../../../out.txt" if kind == tarfile.REGTYPE else "link")
    member.type, member.linkname = kind, "" if kind == tarfile.REGTYPE else "../../../out.txt"
    return member


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_archives_write_nothing_outside(tmp_path, kind, python):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.addfile(_outside(kind))
    with pytest.raises(tarfile.TarError):
        data_utils.get_file("bad.tar", tmp_path / "bad.tar", extract=True, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.glob("out.txt")) and not list(tmp_path.parent.glob("out.txt"))


def test_a_zip_writes_nothing_outside(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../../../out.txt", "x")
    data_utils.get_file("bad.zip", tmp_path / "bad.zip", extract=True, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.glob("out.txt")) and not list(tmp_path.parent.glob("out.txt"))


def test_files_that_cannot_be_had(tmp_path):
    with pytest.raises(ConnectionError, match=r"http://127.0.0.1:9/x cannot be fetched .*, or give the path"):
        utils.get_file("x", "http://127.0.0.1:9/x", cache_dir=tmp_path)
    with pytest.raises(ValueError, match="fetches files, http and https, and not ftp"):
        utils.get_file("x", "ftp://example.org/x", cache_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no origin for x; put the file to .*x"):
        utils.get_file("x", cache_dir=tmp_path)
    with pytest.raises(ValueError, match="needs a name or an origin"):
        utils.get_file()
    with pytest.raises(ValueError, match="leads out of the cache"):
        utils.get_file("../../x", __file__, cache_dir=tmp_path)
    with pytest.raises(ValueError, match="neither an MD5 nor a SHA-256"):
        utils.get_file("x", __file__, file_hash="abc", cache_dir=tmp_path)
