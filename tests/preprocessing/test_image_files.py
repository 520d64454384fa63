"""Batches of pictures in folders and frames."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from kbackend import Sequential, layers
from kbackend.preprocessing import image
from kbackend.preprocessing.image import ImageDataGenerator

NAMES = ["a/0.png", "a/deep/1.png", "a/2.png", "b/0.png", "b/1.jpg", "b/2.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pictures of two classes, each of one grey, 10 times its number."""
    place = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(NAMES):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 5, 3), 10 * number, np.uint8)).save(place / name)
    (place / "a" / "notes.txt").write_text("no picture")
    return place


def greys(batch):
    return (batch.mean(axis=(1, 2, 3)) / 10).round().astype(int).tolist()


def flow(folder, **options):
    options = {"target_size": (4, 3), "batch_size": 4, "shuffle": False} | options
    generator = ImageDataGenerator(validation_split=0.34)
    return generator.flow_from_directory(folder, **options)


def test_folders_are_classes(folder, capsys):
    batches = flow(folder)
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert batches.class_indices == {"a": 0, "b": 1} and batches.samples == 6 and len(batches) == 2
    assert [name.replace("\\", "/") for name in batches.filenames] == [NAMES[i] for i in (0, 2, 1, 3, 4, 5)]
    assert image.load_img(batches.filepaths[0]).size == (5, 6)
    x, y = next(batches)
    assert x.shape == (4, 4, 3, 3) and x.dtype == np.float32 and greys(x) == [0, 2, 1, 3]
    assert y.tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]
    assert [greys(next(batches)[0]) for _ in range(2)] == [[4, 5], [0, 2, 1, 3]]


def test_modes_of_labels_and_colours(folder):
    assert flow(folder, class_mode="sparse", classes=["b", "a"])[0][1].tolist() == [0, 0, 0, 1]
    x, y = flow(folder, class_mode="input", color_mode="grayscale")[0]
    assert x.shape == (4, 4, 3, 1) and (x == y).all()
    assert flow(folder, class_mode=None, color_mode="rgba")[0].shape == (4, 4, 3, 4)
    kept, held = (flow(folder, class_mode=None, subset=part) for part in ("training", "validation"))
    assert greys(kept[0]) == [2, 1, 4, 5] and greys(held[0]) == [0, 3]


def test_changed_pictures_are_written(folder, tmp_path):
    flow(folder, save_to_dir=str(tmp_path), save_prefix="seen", save_format="jpeg")[0]
    assert len(image.list_pictures(str(tmp_path))) == 4
    assert all(path.name.startswith("seen_") for path in tmp_path.iterdir())


def test_frames_name_files_and_targets(folder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({
        "filename": [*NAMES, "gone.png"], "class": [*"aaabbb", "b"], "w": np.arange(7.0), "v": np.arange(7),
        "many": [["a", "c"], ["a"], ["c"], ["b"], ["b", "a"], ["a"], ["a"]],
    })  # fmt: skip

    def read(**options):
        options = {"target_size": (4, 3), "shuffle": False} | options
        with pytest.warns(UserWarning, match="1 of the names in 'filename' are of no picture"):
            return ImageDataGenerator(validation_split=0.34).flow_from_dataframe(frame, folder, **options)

    x, y, w = read(class_mode="binary", weight_col="w")[0]
    assert greys(x) == [0, 1, 2, 3, 4, 5] and y.tolist() == [0, 0, 0, 1, 1, 1] and w.tolist() == [0, 1, 2, 3, 4, 5]
    assert read(y_col="many", classes=["a", "b"])[0][1].tolist() == [[1, 0], [1, 0], [0, 1], [1, 1], [1, 0]]
    assert read(y_col=["v", "w"], class_mode="raw", subset="validation")[0][1].tolist() == [[0, 0], [1, 1]]
    v, w = read(y_col=["v", "w"], class_mode="multi_output")[0][1]
    assert v.tolist() == w.tolist() == [0, 1, 2, 3, 4, 5]
    for error, options, message in (
        (TypeError, {"class_mode": "sparse", "y_col": "v"}, "column 'v' must hold texts"),
        (TypeError, {"class_mode": "multi_output"}, "needs a list of columns"),
        (ValueError, {"class_mode": "binary", "classes": ["a"]}, "needs two classes, there are 1"),
        (ValueError, {"class_mode": "wrong"}, "class_mode must be one of"),
    ):
        with pytest.raises(error, match=message):
            ImageDataGenerator().flow_from_dataframe(frame, folder, **options)


def test_a_model_trains_on_batches_of_files(folder, engine):
    model = Sequential([layers.Flatten(input_shape=(4, 3, 3)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    batches = ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder, (4, 3), batch_size=4, seed=1)
    history = model.fit(batches, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and model.predict(batches).shape == (6, 2)


def test_orders_are_drawn_anew_and_copies_continue():
    batches = ImageDataGenerator().flow(np.zeros((9, 2, 2, 1)), np.arange(9), batch_size=4, seed=3)
    passes = [[int(v) for _ in range(3) for v in next(batches)[1]] for _ in range(2)]
    assert passes[0] != passes[1] and sorted(passes[0]) == sorted(passes[1]) == list(range(9))
    copy = pickle.loads(pickle.dumps(batches))
    assert next(copy)[1].tolist() == next(batches)[1].tolist()
    batches.reset()
    assert len(next(batches.index_generator)) == 4 and len(next(batches.index_generator)) == 4


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), "zoom_range must be two numbers"),
    (lambda: ImageDataGenerator(validation_split=1), r"must lie in \[0, 1\), it is 1"),
    (lambda: ImageDataGenerator(data_format="first"), "data_format|layout|channels_last"),
    (lambda: ImageDataGenerator().fit(np.zeros((3, 3))), "fit needs pictures of four axes"),
    (lambda: ImageDataGenerator().flow(np.zeros((3, 2, 2, 1)), [1]), r"are 3 pictures; other lengths: \{'y': 1\}"),
    (lambda: ImageDataGenerator().flow(np.zeros((3, 2))), "pictures need four axes"),
    (lambda: ImageDataGenerator().flow(np.zeros((2, 2, 2, 1)), [0, 1], subset="test"), "subset must be"),
    (lambda: ImageDataGenerator(validation_split=0.5).flow(np.zeros((2, 2, 2, 1)), [0, 1], subset="training"),
     "the two subsets have different classes"),
    (lambda: ImageDataGenerator().flow(np.zeros((2, 2, 2, 1)))[1], "there are 1 batches, none has the number 1"),
])
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_warnings_name_what_has_no_effect():
    with pytest.warns(UserWarning, match="featurewise_std_normalization switches featurewise_center on"):
        generator = ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="has no effect before fit"):
        generator.standardize(np.zeros((2, 2, 1)))
    with pytest.warns(UserWarning, match="pictures have 1, 3 or 4 channels"):
        generator.flow(np.zeros((2, 2, 2, 5)))


def test_the_error_without_scipy_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(ImportError, match=r"pip install 'kbackend\[images\]'"):
        image.random_rotation(np.zeros((3, 3, 1)), 10, channel_axis=2)
