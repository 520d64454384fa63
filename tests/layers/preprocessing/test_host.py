"""Hashing, vocabularies and text on the host, against Keras where its results are defined by code alone."""

import numpy as np
import pytest

from kbackend import Input, layers
from kbackend.layers.preprocessing.hashes import fingerprint, siphash

WORDS = [["fox", "and", "dog"], ["the", "fox", "fox"], ["über", "", "dog"]]
IDS = [[3, 7, 3], [12, 7, 0], [3, -5, 40]]
TEXTS = ["The quick, brown FOX!", "jumps\tover  the lazy dog. The end", "Ünder the Über-bridge", ""]


def same(keras, name, arguments, inputs, dtype=None):
    theirs = np.asarray(getattr(keras.layers, name)(**arguments)(inputs))
    ours = getattr(layers, name)(**arguments)
    found = ours(inputs)
    if theirs.dtype.kind in "SO":
        theirs = np.char.decode(theirs.astype(bytes), "utf-8")
    assert found.tolist() == theirs.tolist() if theirs.dtype.kind != "f" else np.allclose(found, theirs, rtol=1e-6)
    again = layers.deserialize(layers.serialize(ours))
    assert np.array_equal(again(inputs), found) and again.get_config() == ours.get_config()
    return ours


@pytest.mark.engine("tensorflow")
def test_hashes_have_tensorflows_bits(keras):
    import tensorflow as tf

    draws, bins = np.random.RandomState(0), 2**62
    for size in (*range(0, 130, 3), 64, 65, 128, 129, 256, 1000):
        data = draws.randint(0, 256, size).astype(np.uint8).tobytes()
        fast = tf.strings.to_hash_bucket_fast([data], bins)
        strong = tf.strings.to_hash_bucket_strong([data], bins, key=[3, 2**40])
        assert fingerprint(data) % bins == int(fast[0]) and siphash(data, (3, 2**40)) % bins == int(strong[0]), size


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("inputs", [WORDS, np.array(IDS)], ids=["strings", "integers"])
@pytest.mark.parametrize("arguments", [
    {}, {"salt": 5}, {"salt": [5, 6]}, {"output_mode": "one_hot"}, {"output_mode": "multi_hot"},
    {"output_mode": "count"}, {"mask_value": "fox"}, {"num_bins": 1},
], ids=str)
def test_hashing(keras, inputs, arguments):
    given = {"num_bins": 7, **arguments}
    if "mask_value" in given and inputs is not WORDS:
        given["mask_value"] = 7
    same(keras, "Hashing", given, inputs)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("arguments", [{}, {"output_mode": "one_hot"}], ids=str)
@pytest.mark.parametrize("features", [
    (["a", "b", "a"], [1, 2, -3]), ([["a"], ["b"]], [["x"], ["y"]]), ([1, 2], [3, 4], ["a", "b"]),
], ids=str)
def test_hashed_crossing(keras, features, arguments):
    same(keras, "HashedCrossing", {"num_bins": 11, **arguments}, features)


VOCABULARY = ["fox", "dog", "the"]


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("arguments", [
    {}, {"mask_token": ""}, {"num_oov_indices": 3}, {"num_oov_indices": 3, "salt": 4}, {"output_mode": "one_hot"},
    {"output_mode": "multi_hot"}, {"output_mode": "count", "mask_token": "", "num_oov_indices": 2},
    {"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 9},
    {"output_mode": "tf_idf", "idf_weights": [0.5, 0.25, 2.0]}, {"vocabulary": ["[UNK]", *VOCABULARY]},
], ids=str)
def test_string_lookup(keras, arguments):
    layer = same(keras, "StringLookup", {"vocabulary": VOCABULARY, **arguments}, WORDS)
    theirs = keras.layers.StringLookup(**{"vocabulary": VOCABULARY, **arguments})
    assert layer.get_vocabulary() == theirs.get_vocabulary()
    assert layer.get_vocabulary(False) == theirs.get_vocabulary(False)
    assert layer.vocabulary_size() == theirs.vocabulary_size()


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("arguments", [
    {}, {"mask_token": 0}, {"num_oov_indices": 3}, {"num_oov_indices": 3, "oov_method": "farmhash"},
    {"num_oov_indices": 3, "oov_method": "farmhash", "salt": [1, 2]}, {"output_mode": "multi_hot"},
    {"output_mode": "one_hot", "mask_token": 0}, {"output_mode": "count", "max_tokens": 8, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf", "idf_weights": [0.5, 0.25]},
], ids=str)
def test_integer_lookup(keras, arguments):
    same(keras, "IntegerLookup", {"vocabulary": [3, 12], **arguments}, np.array(IDS))


@pytest.mark.engine("tensorflow")
def test_from_places_to_tokens(keras):
    places = np.array([[0, 1, 4], [3, 9, 2]])
    same(keras, "StringLookup", {"vocabulary": VOCABULARY, "invert": True}, places)
    same(keras, "StringLookup", {"vocabulary": VOCABULARY, "invert": True, "mask_token": "-"}, places)
    same(keras, "IntegerLookup", {"vocabulary": [3, 12, 5], "invert": True, "mask_token": 0}, places)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name, data, inputs", [("StringLookup", WORDS, WORDS), ("IntegerLookup", IDS, np.array(IDS))])
@pytest.mark.parametrize("arguments", [
    {}, {"max_tokens": 3}, {"output_mode": "tf_idf"},
    {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True},
], ids=str)
def test_vocabularies_of_data(keras, name, data, inputs, arguments):
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    ours.adapt(np.array(data))
    theirs.adapt(np.array(data))
    assert ours.get_vocabulary() == [v for v in theirs.get_vocabulary()]
    np.testing.assert_allclose(ours(inputs), np.asarray(theirs(inputs)), rtol=1e-6)
    batches = getattr(layers, name)(**arguments)
    batches.adapt(np.array(part) for part in (data[:1], data[1:]))
    assert batches.get_vocabulary() == ours.get_vocabulary() and batches.idf_weights == ours.idf_weights


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("arguments", [
    {}, {"standardize": "lower"}, {"standardize": "strip_punctuation"}, {"standardize": None},
    {"split": "character", "max_tokens": 12}, {"ngrams": 2}, {"ngrams": (2, 3)}, {"output_sequence_length": 3},
    {"output_sequence_length": 12}, {"output_mode": "multi_hot"}, {"output_mode": "count"}, {"output_mode": "tf_idf"},
    {"output_mode": "count", "max_tokens": 30, "pad_to_max_tokens": True}, {"max_tokens": 5},
], ids=str)
def test_text(keras, arguments):
    ours, theirs = layers.TextVectorization(**arguments), keras.layers.TextVectorization(**arguments)
    ours.adapt(np.array(TEXTS))
    theirs.adapt(np.array(TEXTS))
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    np.testing.assert_allclose(ours(TEXTS), np.asarray(theirs(np.array(TEXTS))), rtol=1e-6)
    again = layers.deserialize(layers.serialize(ours))
    assert np.array_equal(again(TEXTS), ours(TEXTS))


def test_functions_for_text():
    layer = layers.TextVectorization(
        standardize=np.char.upper, split=lambda rows: [row.split("-") for row in rows], vocabulary=["A", "B"]
    )
    assert layer(["a-b", "b-c-a"]).tolist() == [[2, 3, 0], [3, 1, 2]]
    assert layer(np.array([[b"a"], [b"b"]])).tolist() == [[2], [3]]


def test_a_vocabulary_in_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("fox\ndog\n", encoding="utf-8")
    assert layers.StringLookup(vocabulary=str(path))(["dog", "cat"]).tolist() == [2, 0]
    assert layers.TextVectorization(vocabulary=path)(["A fox"]).tolist() == [[1, 2]]


@pytest.mark.parametrize("made, words", [
    (lambda: layers.Hashing(0), "num_bins must be a positive integer, it is 0"),
    (lambda: layers.Hashing(3, salt="x"), "salt must be an integer or two, it is 'x'"),
    (lambda: layers.Hashing(3, sparse=True, output_mode="count"), "sparse=True is not supported"),
    (lambda: layers.HashedCrossing(3)(["a"]), "two or more features"),
    (lambda: layers.HashedCrossing(3)((["a"], ["b", "c"])), "features must have one shape"),
    (lambda: layers.HashedCrossing(3)(([1.5], [2.5])), "must be strings or integers"),
    (lambda: layers.StringLookup()(["a"]), "has no vocabulary yet; give it one, or call adapt"),
    (lambda: layers.StringLookup(vocabulary=["a", "a"]), r"more than once: \['a'\]"),
    (lambda: layers.StringLookup(vocabulary=["a", "[UNK]"]), r"holds the special tokens \['\[UNK\]'\]"),
    (lambda: layers.StringLookup(2, vocabulary=["a", "b"]), "more than max_tokens, 2"),
    (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "'b' is not in the vocabulary"),
    (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), "has the vocabulary that it was given"),
    (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "needs idf_weights"),
    (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1, 2]), "as many idf_weights"),
    (lambda: layers.StringLookup(invert=True, output_mode="count"), "invert needs output_mode='int'"),
    (lambda: layers.StringLookup(max_tokens=1), "max_tokens must be above 1"),
    (lambda: layers.StringLookup().adapt([]), "was given no tokens to adapt to"),
    (lambda: layers.IntegerLookup(salt=3), "salt needs oov_method='farmhash'"),
    (lambda: layers.IntegerLookup(vocabulary=[1])([0.5]), "tokens must be integers"),
    (lambda: layers.TextVectorization(split="words"), "split must be one of whitespace, character"),
    (lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3), "output_sequence_length needs"),
    (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), r"texts must be \(batch,\) or \(batch, 1\)"),
    (lambda: layers.TextVectorization(ragged=True), "ragged=True is not supported"),
])
def test_what_does_not_fit_is_one_error(made, words):
    with pytest.raises(ValueError, match=rf"layer \w+ \(\w+\).*{words}"):
        made()


def test_symbolic_tensors_are_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"layer h \(Hashing\) works on arrays on the host.*call it on the data"):
        layers.Hashing(3, name="h")(Input((2,), dtype="int32"))


@pytest.mark.parametrize("count", [100, 10_000])
def test_equal_tokens_are_hashed_once(count, monkeypatch):
    from kbackend.layers.preprocessing import hashing

    hashed = []
    monkeypatch.setattr(hashing, "fingerprint", lambda data: hashed.append(data) or fingerprint(data))
    words = np.array([f"word{i % 50}" for i in range(count)])
    layers.StringLookup(vocabulary=["word1"], num_oov_indices=5)(words)
    layers.Hashing(7)(words)
    assert len(hashed) == 49 + 50
