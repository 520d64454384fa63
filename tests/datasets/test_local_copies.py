"""Keras's data sets from local copies, which are made here in the formats that they are distributed in."""

from __future__ import annotations

import gzip
import importlib
import json
import pickle
import tarfile

import numpy as np
import pytest

from kbackend import K
from kbackend.datasets import boston_housing, cifar10, cifar100, fashion_mnist, imdb, mnist, reuters
from kbackend.saving.errors import FormatError

RNG = np.random.default_rng(5)
ALL = {
    boston_housing: "boston_housing.npz", cifar10: "cifar-10-batches-py", cifar100: "cifar-100-python",
    fashion_mnist: "fashion-mnist", imdb: "imdb.npz", mnist: "mnist.npz", reuters: "reuters.npz",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KBACKEND_DATASETS", str(tmp_path))
    return tmp_path


def digits(count):
    return RNG.integers(0, 255, (count, 28, 28), np.uint8), RNG.integers(0, 9, count, np.uint8)


def texts(count):
    found = np.empty(count, object)
    found[:] = [RNG.integers(1, 30, RNG.integers(2, 9)).tolist() for _ in range(count)]
    return found


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_error_says_what_is_wanted_and_where(module, folder):
    with pytest.raises(FileNotFoundError) as caught:
        module.load_data()
    text = str(caught.value)
    assert ALL[module] in text and str(folder) in text and "It holds" in text and "KBACKEND_DATASETS" in text


def test_digits(folder, monkeypatch):
    (x, y), (a, b) = digits(5), digits(2)
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=a, y_test=b)
    for path in ("mnist.npz", folder / "mnist.npz"):
        (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
        assert (x_train == x).all() and (y_train == y).all() and (x_test == a).all() and (y_test == b).all()
    monkeypatch.delenv("KBACKEND_DATASETS")
    monkeypatch.setattr("pathlib.Path.home", lambda: folder)
    (folder / ".keras").mkdir()
    (folder / ".keras" / "datasets").symlink_to(folder, target_is_directory=True)
    assert len(mnist.load_data()[0][0]) == 5
    np.savez(folder / "mnist.npz", x_train=x, y_train=y[1:], x_test=a, y_test=b)
    with pytest.raises(FormatError, match=r"mnist.npz: train: samples \(5, 28, 28\) and labels \(4,\)"):
        mnist.load_data()
    np.savez(folder / "mnist.npz", x_train=x)
    with pytest.raises(FormatError, match="there is no array 'y_train'; there are x_train"):
        mnist.load_data()
    np.savez(folder / "mnist.npz", x_train=np.array([print], object), y_train=y, x_test=a, y_test=b)
    with pytest.raises(FormatError, match="x_train: .*allow_pickle"):
        mnist.load_data()
    (folder / "mnist.npz").write_bytes(b"no archive")
    with pytest.raises(FormatError, match=r"mnist.npz"):
        mnist.load_data()


def test_clothes(folder):
    place = folder / "fashion-mnist"
    place.mkdir()
    parts = {"train": digits(4), "t10k": digits(3)}
    for part, arrays in parts.items():
        for array, name in zip(arrays, ("images-idx3", "labels-idx1"), strict=True):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (place / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    for found, wanted in zip(fashion_mnist.load_data(), parts.values(), strict=True):
        assert all((one == other).all() and one.flags.writeable for one, other in zip(found, wanted, strict=True))
    bad = place / "t10k-labels-idx1-ubyte.gz"
    bad.write_bytes(gzip.compress(b"1234567890"))
    with pytest.raises(FormatError, match="no array of bytes with 1 axes"):
        fashion_mnist.load_data()
    bad.unlink()
    with pytest.raises(FileNotFoundError, match="t10k-labels-idx1-ubyte.gz is missing"):
        fashion_mnist.load_data()


def write_batch(path, images, **labels):
    """As Python 2 wrote it: keys and texts are bytes."""
    table = {b"data": images} | {name.encode(): values.tolist() for name, values in labels.items()}
    path.write_bytes(pickle.dumps(table, protocol=2))


def test_pictures_in_colours(folder):
    images = RNG.integers(0, 255, (6, 2, 3072), np.uint8)
    labels = RNG.integers(0, 9, (6, 2))
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        write_batch(place / name, images[number], labels=labels[number])
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert x.shape == (10, 32, 32, 3) and x.dtype == y.dtype == np.uint8 and y.shape == (10, 1)
    assert (x[2].transpose(2, 0, 1).ravel() == images[1, 0]).all() and (y_test[:, 0] == labels[5]).all()
    K.set_image_data_format("channels_first")
    try:
        assert cifar10.load_data()[1][0].shape == (2, 3, 32, 32)
    finally:
        K.set_image_data_format("channels_last")
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(place, "cifar-10-batches-py")
    place.rename(folder / "elsewhere")
    assert (cifar10.load_data()[1][0] == x_test).all()


def test_coarse_and_fine_labels(folder):
    (folder / "cifar-100-python").mkdir()
    images, fine, coarse = RNG.integers(0, 255, (3, 3072), np.uint8), np.array([40, 99, 0]), np.array([1, 2, 19])
    for name in ("train", "test"):
        write_batch(folder / "cifar-100-python" / name, images, fine_labels=fine, coarse_labels=coarse)
    assert cifar100.load_data()[0][1].ravel().tolist() == [40, 99, 0]
    assert cifar100.load_data("coarse")[1][1].ravel().tolist() == [1, 2, 19]
    with pytest.raises(ValueError, match="label_mode must be"):
        cifar100.load_data("exact")
    write_batch(folder / "cifar-100-python" / "test", images, coarse_labels=coarse)
    with pytest.raises(FormatError, match="must have data and fine_labels"):
        cifar100.load_data()
    write_batch(folder / "cifar-100-python" / "test", images[:2], fine_labels=fine)
    with pytest.raises(FormatError, match=r"pictures uint8 \(2, 3072\) and labels \(3,\)"):
        cifar100.load_data()


class Evil:
    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize("content", [
    pickle.dumps({b"data": Evil()}), pickle.dumps({b"data": np.float64(1)}), pickle.dumps(np.recarray(3, "f8")),
    b"cos\nsystem\n(S'echo ran'\ntR.", b"no pickle", pickle.dumps([1]), pickle.dumps({b"data": np.dtype("u1")}, 2),
    pickle.dumps({b"data": np.array(["a"])}),
])  # fmt: skip
def test_pickles_run_nothing(content, folder, capfd):
    (folder / "cifar-100-python").mkdir()
    (folder / "cifar-100-python" / "train").write_bytes(content)
    with pytest.raises(FormatError, match="cifar-100-python: train: "):
        cifar100.load_data()
    assert "ran" not in capfd.readouterr().out


@pytest.fixture
def oracle(folder, keras, monkeypatch):
    """Keras's data sets, which would download a file of another hash."""
    for name in ("imdb", "reuters", "boston_housing"):
        module = importlib.import_module(f"keras.src.datasets.{name}")
        path = lambda fname=None, *args, **options: str(folder / fname)  # noqa: E731
        monkeypatch.setattr(module, "get_file", path)
    return keras.datasets


def test_reviews_are_those_of_keras(folder, oracle):
    x, y, a, b = texts(12), RNG.integers(0, 2, 12), texts(8), RNG.integers(0, 2, 8)
    np.savez(folder / "imdb.npz", x_train=x, y_train=y, x_test=a, y_test=b)
    for options in (
        {}, {"num_words": 20, "skip_top": 5}, {"maxlen": 6}, {"start_char": None, "oov_char": None, "num_words": 15},
        {"start_char": None, "index_from": 0, "seed": 4},
    ):  # fmt: skip
        found = imdb.load_data(**options)
        wanted = oracle.imdb.load_data(**options)
        for (ours, labels), (theirs, same) in zip(found, wanted, strict=True):
            assert ours.dtype == object and labels.tolist() == same.tolist()
            assert ours.tolist() == [list(map(int, text)) for text in theirs]
    with pytest.raises(ValueError, match="no text is shorter than maxlen=2"):
        imdb.load_data(maxlen=2)
    with pytest.warns(UserWarning, match="nb_words is called num_words now"):
        imdb.load_data(nb_words=5)
    with pytest.raises(TypeError, match="load_data has no argument 'words'"):
        imdb.load_data(words=5)
    (folder / "imdb_word_index.json").write_text(json.dumps({"the": 1}))
    assert imdb.get_word_index() == {"the": 1}
    (folder / "imdb_word_index.json").write_text("[]")
    with pytest.raises(FormatError, match="must hold a number for each word"):
        imdb.get_word_index()


def test_news_and_prices_are_those_of_keras(folder, oracle):
    np.savez(folder / "reuters.npz", x=texts(15), y=RNG.integers(0, 46, 15))
    for options in ({}, {"num_words": 20, "test_split": 0.5, "maxlen": 8}):
        wanted = oracle.reuters.load_data(**options)
        for (ours, labels), (theirs, same) in zip(reuters.load_data(**options), wanted, strict=True):
            assert ours.tolist() == [list(map(int, text)) for text in theirs] and labels.tolist() == same.tolist()
    np.savez(folder / "boston_housing.npz", x=RNG.normal(size=(10, 13)), y=RNG.normal(size=10))
    wanted = oracle.boston_housing.load_data(test_split=0.3)
    for found, other in zip(boston_housing.load_data(test_split=0.3), wanted, strict=True):
        assert all(np.array_equal(one, two) for one, two in zip(found, other, strict=True))
    with pytest.raises(ValueError, match=r"test_split must be in \[0, 1\)"):
        boston_housing.load_data(test_split=1)
