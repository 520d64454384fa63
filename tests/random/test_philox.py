"""The random words of the three backends against Philox4x32-10 written out with Python's integers."""

import threading

import numpy as np
import pytest

from kbackend.plugin.host import philox

WORD = 0xFFFFFFFF
BIG = 0xFEDCBA9876543210
KEYS_AND_STREAMS = [
    (0, 0),
    (1, 0),
    (0, 1),
    (0x0123456789ABCDEF, BIG),
    (2**64 - 1, 2**64 - 1),
    (2**63, 7 << 32 | 3),
]

# The known answers that the authors of Philox publish with Random123: counter, key, result.
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD,) * 4, (WORD,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (*PI, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


def block(counter, key):
    """One block of Philox4x32-10, as the paper defines it."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = 0xD2511F53 * x0, 0xCD9E8D57 * x2
        x0, x1, x2, x3 = second >> 32 ^ x1 ^ k0, second & WORD, first >> 32 ^ x3 ^ k1, first & WORD
        k0, k1 = k0 + 0x9E3779B9 & WORD, k1 + 0xBB67AE85 & WORD
    return x0, x1, x2, x3


TRIALS = [1, 2, 0x80000000, WORD]


def textbook(key, stream, count, trial=0):
    blocks = [
        block((n, trial, stream & WORD, stream >> 32), (key & WORD, key >> 32))
        for n in range((count + 3) // 4)
    ]
    return np.array(blocks, np.uint32).reshape(-1)[:count]


@pytest.mark.parametrize("counter, key, expected", KNOWN_ANSWERS)
def test_the_textbook_gives_the_known_answers(counter, key, expected):
    assert block(counter, key) == expected


@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 1000, 4099])
def test_numpy_words(key, stream, count):
    actual = philox.words(key, stream, count)
    assert actual.dtype == np.uint32 and actual.shape == (count,)
    np.testing.assert_array_equal(actual, textbook(key, stream, count))


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
def test_numpy_trials(key, stream, trial):
    np.testing.assert_array_equal(philox.words(key, stream, 4099, trial), textbook(key, stream, 4099, trial))


@pytest.mark.parametrize("trial", [-1, 2**32])
def test_numpy_trials_out_of_range(trial):
    with pytest.raises(ValueError, match=f"trial {trial}"):
        philox.words(1, 2, 4, trial)


def test_a_used_generator_gives_the_same_words_as_a_new_one():
    """An odd count leaves words in the generator's buffer, which must not reach the next draw."""
    for count in (1, 2, 3, 5, 4, 7):
        np.testing.assert_array_equal(philox.words(count, BIG, count), textbook(count, BIG, count))


def test_words_are_the_callers_own():
    first = philox.words(1, 2, 8)
    first[:] = 0
    np.testing.assert_array_equal(philox.words(1, 2, 8), textbook(1, 2, 8))


def test_threads_do_not_disturb_each_other():
    expected = [textbook(3, stream, 4099) for stream in range(4)]
    wrong = []

    def draw(stream):
        for _ in range(50):
            if not np.array_equal(philox.words(3, stream, 4099), expected[stream]):
                wrong.append(stream)

    threads = [threading.Thread(target=draw, args=(stream,)) for stream in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("key, stream", [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_numpy_out_of_range(key, stream):
    with pytest.raises(ValueError, match="philox"):
        philox.words(key, stream, 4)


@pytest.mark.engine("torch")
@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
@pytest.mark.parametrize("count", [0, 1, 6, 4099])
@pytest.mark.parametrize("function", ["words", "words_on_device"])
def test_torch_words(key, stream, count, function):
    import torch

    from kbackend_torch import philox as torch_philox

    actual = getattr(torch_philox, function)(key, stream, count, "cpu")
    assert actual.dtype == torch.int32 and actual.shape == (count,)
    np.testing.assert_array_equal(actual.numpy().view(np.uint32), textbook(key, stream, count))


@pytest.mark.engine("torch")
@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
@pytest.mark.parametrize("function", ["words", "words_on_device"])
def test_torch_trials(key, stream, trial, function):
    from kbackend_torch import philox as torch_philox

    actual = getattr(torch_philox, function)(key, stream, 4099, "cpu", trial)
    np.testing.assert_array_equal(actual.numpy().view(np.uint32), textbook(key, stream, 4099, trial))


@pytest.mark.engine("torch")
@pytest.mark.parametrize("trial", [-1, 2**32])
@pytest.mark.parametrize("function", ["words", "words_on_device"])
def test_torch_trials_out_of_range(trial, function):
    from kbackend_torch import philox as torch_philox

    with pytest.raises(ValueError, match=f"trial {trial}"):
        getattr(torch_philox, function)(1, 2, 4, "cpu", trial)


@pytest.mark.engine("torch")
@pytest.mark.parametrize("counter, key, expected", KNOWN_ANSWERS)
def test_torch_rounds_give_the_known_answers(counter, key, expected):
    import torch

    from kbackend_torch import philox as torch_philox

    lanes = torch_philox.rounds(key[0] | key[1] << 32, tuple(torch.tensor([word]) for word in counter))
    assert tuple(lane.item() for lane in lanes) == expected


@pytest.mark.engine("torch")
def test_torch_words_on_cuda():
    import torch

    from kbackend_torch import philox as torch_philox

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    actual = torch_philox.words(3, BIG, 4099, "cuda")
    assert actual.device.type == "cuda"
    np.testing.assert_array_equal(actual.cpu().numpy().view(np.uint32), textbook(3, BIG, 4099))


@pytest.mark.engine("torch")
@pytest.mark.parametrize("key, stream", [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
@pytest.mark.parametrize("function", ["words", "words_on_device"])
def test_torch_out_of_range(key, stream, function):
    from kbackend_torch import philox as torch_philox

    with pytest.raises(ValueError, match="philox"):
        getattr(torch_philox, function)(key, stream, 4, "cpu")


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
@pytest.mark.parametrize("count", [0, 1, 6, 4099])
def test_tensorflow_words(key, stream, count):
    from kbackend_tensorflow import philox as tf_philox

    actual = tf_philox.words(key, stream, count).numpy()
    assert actual.dtype == np.uint32 and actual.shape == (count,)
    np.testing.assert_array_equal(actual, textbook(key, stream, count))


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("key, stream", KEYS_AND_STREAMS)
def test_tensorflow_trials(key, stream, trial):
    """The number of the trial is the high word of the first counter."""
    from kbackend_tensorflow import philox as tf_philox

    actual = tf_philox.words(key, stream, 4099, trial << 32).numpy()
    np.testing.assert_array_equal(actual, textbook(key, stream, 4099, trial))


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("first", [-1, 2**64])
def test_tensorflow_first_counters_out_of_range(first):
    from kbackend_tensorflow import philox as tf_philox

    with pytest.raises(ValueError, match=f"first {first}"):
        tf_philox.words(1, 2, 4, first)


@pytest.mark.parametrize("trial", [0, 3, WORD, -1])
@pytest.mark.parametrize("count", [6, 4099])
def test_bits_of_a_trial_on_each_engine(each_backend, trial, count):
    """Through the op, whose trial is a number of the graph, taken modulo 2**32."""
    from kbackend import K
    from kbackend.ops.random.draws import random_bits

    at = K.placeholder((), dtype="int64")
    bits = random_bits(np.int64(9), (), at, shape=(count,), key=BIG, op_id=WORD)
    (found,) = K.function([at], [bits])([np.int64(trial)])
    np.testing.assert_array_equal(found, textbook(BIG, WORD << 32 | 9, count, trial & WORD))


@pytest.mark.engine("tensorflow")
def test_tensorflow_fills_a_shape_in_row_major_order():
    from kbackend_tensorflow import philox as tf_philox

    actual = tf_philox.words(5, 9, (3, 5, 7)).numpy()
    np.testing.assert_array_equal(actual, textbook(5, 9, 105).reshape(3, 5, 7))
    assert tf_philox.words(5, 9, ()).numpy().shape == ()


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_tensorflow_words_in_a_function(dtype):
    """One trace serves all steps and sizes; the stream is made of an op id and a step that is a tensor."""
    import tensorflow as tf

    from kbackend_tensorflow import philox as tf_philox

    traces = []

    @tf.function(input_signature=[tf.TensorSpec([], dtype), tf.TensorSpec([], tf.int32)])
    def draw(step, count):
        traces.append(step)
        stream = tf.constant(0x9ABCDEF0 << 32, tf.uint64) | tf.bitcast(step, tf.uint64)
        return tf_philox.words(2**63 + 11, stream, count)

    for step, count in ((0, 4), (1, 4099), (2**31 + 5, 7)):
        actual = draw(tf.constant(step, dtype), tf.constant(count)).numpy()
        np.testing.assert_array_equal(actual, textbook(2**63 + 11, 0x9ABCDEF0 << 32 | step, count))
    assert len(traces) == 1


@pytest.mark.engine("tensorflow")
def test_tensorflow_takes_the_bits_of_int64():
    import tensorflow as tf

    from kbackend_tensorflow import philox as tf_philox

    minus_one = tf.constant(-1, tf.int64)
    actual = tf_philox.words(minus_one, minus_one, tf.constant([6])).numpy()
    np.testing.assert_array_equal(actual, textbook(2**64 - 1, 2**64 - 1, 6))


@pytest.mark.engine("tensorflow")
def test_tensorflow_words_are_the_same_under_xla():
    import tensorflow as tf

    from kbackend_tensorflow import philox as tf_philox

    draw = tf.function(lambda step: tf_philox.words(7, step, 4099), jit_compile=True)
    np.testing.assert_array_equal(draw(tf.constant(3, tf.int64)).numpy(), textbook(7, 3, 4099))


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("key, stream", [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_tensorflow_out_of_range(key, stream):
    from kbackend_tensorflow import philox as tf_philox

    with pytest.raises(ValueError, match="philox"):
        tf_philox.words(key, stream, 4)


@pytest.mark.engine("torch", "tensorflow")
def test_one_stream_on_all_backends():
    from kbackend_tensorflow import philox as tf_philox
    from kbackend_torch import philox as torch_philox

    expected = philox.words(BIG, 17, 200_704)
    np.testing.assert_array_equal(torch_philox.words(BIG, 17, 200_704).numpy().view(np.uint32), expected)
    np.testing.assert_array_equal(
        torch_philox.words_on_device(BIG, 17, 200_704, "cpu").numpy().view(np.uint32), expected
    )
    np.testing.assert_array_equal(tf_philox.words(BIG, 17, 200_704).numpy(), expected)
