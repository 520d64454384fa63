"""What series, sequences and texts do at their edges."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend.preprocessing.sequence import TimeseriesGenerator, skipgrams, timeseries_generator_from_json
from kbackend.preprocessing.text import Tokenizer, hashing_trick, one_hot


def test_windows_survive_json():
    windows = TimeseriesGenerator(np.arange(12.0), np.arange(12.0), 3, start_index=2, stride=2, batch_size=2)
    again = timeseries_generator_from_json(windows.to_json())
    assert len(again) == len(windows) == 2
    assert all(np.array_equal(a, b) for one, other in zip(windows, again) for a, b in zip(one, other))
    with pytest.raises(TypeError, match="data has no form in JSON"):
        TimeseriesGenerator([{1}, {2}], [1, 2], 1).get_config()


def test_windows_that_do_not_fit():
    with pytest.raises(ValueError, match="3 steps, 2 targets"):
        TimeseriesGenerator([1, 2, 3], [1, 2], 1)
    with pytest.raises(ValueError, match="there is no window: the first would end at step"):
        TimeseriesGenerator([1, 2, 3], [1, 2, 3], 3)


def test_words_alone_make_no_pairs():
    assert skipgrams([0, 1, 0], 5, window_size=1) == ([], [])


def test_arguments_of_texts():
    assert all(1 <= number < 10 for number in one_hot("a few words and more", 10))
    assert hashing_trick("ab abc", 100, len) == [3, 4]
    with pytest.raises(ValueError, match="hash_function must be"):
        hashing_trick("a", 5, "sha")
    with pytest.warns(UserWarning, match="nb_words of Tokenizer is called num_words now"):
        assert Tokenizer(nb_words=3).num_words == 3
    with pytest.raises(TypeError, match="Tokenizer has no argument 'words'"):
        Tokenizer(words=3)


def test_matrices_need_words():
    tokenizer = Tokenizer()
    with pytest.raises(ValueError, match="how many columns there are is not known"):
        tokenizer.sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="mode must be one of"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "sum")
    counted = Tokenizer(num_words=3)
    with pytest.raises(ValueError, match="needs the counts of texts"):
        counted.sequences_to_matrix([[1]], "tfidf")
    counted.fit_on_sequences([[1, 2], [1]])
    np.testing.assert_allclose(counted.sequences_to_matrix([[2, 2]], "tfidf")[0, 2], (1 + np.log(2)) * np.log(2))
