"""The digits that come with the package."""

import hashlib

import numpy as np
import pytest

from kbackend.datasets import digits

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_data_is_the_data_that_its_note_describes():
    (images, labels), (x_test, y_test) = digits.load_data(test_fraction=0)
    assert images.shape == (1797, 8, 8) and labels.shape == (1797,)
    assert len(x_test) == len(y_test) == 0
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SHA256


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.9])
def test_split_keeps_proportions_and_loses_nothing(fraction):
    (images, labels), _ = digits.load_data(test_fraction=0)
    (x_train, y_train), (x_test, y_test) = digits.load_data(fraction)
    counts = np.bincount(labels)
    assert np.bincount(y_test).tolist() == [round(int(n) * fraction) for n in counts]
    assert np.array_equal(np.bincount(y_train) + np.bincount(y_test), counts)
    together = np.concatenate([x_train, x_test]).reshape(-1, 64)
    assert np.array_equal(_sorted_rows(together), _sorted_rows(images.reshape(-1, 64)))


def test_labels_stay_with_their_images():
    (images, labels), _ = digits.load_data(test_fraction=0)
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for x, y in digits.load_data():
        assert [label_of[image.tobytes()] for image in x] == y.tolist()


def test_split_is_the_same_each_time_and_spread_through_the_file():
    first, second = digits.load_data(), digits.load_data()
    for (x, y), (x2, y2) in zip(first, second, strict=True):
        assert np.array_equal(x, x2) and np.array_equal(y, y2)
    (images, _), _ = digits.load_data(test_fraction=0)
    chosen = {image.tobytes() for image in first[1][0]}
    places = [i for i, image in enumerate(images) if image.tobytes() in chosen]
    assert np.histogram(places, bins=10, range=(0, 1797))[0].min() >= 30


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan")])
def test_a_fraction_that_leaves_no_training_data_is_refused(fraction):
    with pytest.raises(ValueError, match="test_fraction"):
        digits.load_data(fraction)


def _sorted_rows(rows):
    return rows[np.lexsort(rows.T)]
