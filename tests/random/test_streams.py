"""Which bits a draw gets: paths, op ids, owners and generators of seeds."""

import threading

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers, random, streams
from kbackend.streams import SHUFFLE_OP_ID, Owner, _hashed, has_own_seed, scope, stream_of, trying


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    with kbackend.use_backend("numpy"):
        K.set_seed(11)
        yield


def id_of(draw):
    """The op id of a draw."""
    return draw.node.attrs["op_id"]


def kernel(layer):
    return layer.get_weights()[0].tobytes()


def built(layer, features=5):
    layer(Input((features,)))
    return layer


# ------------------------------------------------------------------------------------------- paths


def test_a_path_is_made_of_the_scopes_and_the_op():
    with scope("encoder"), scope("kernel"):
        inside = id_of(K.random_uniform((2,)))
    outside = id_of(K.random_uniform((2,)))
    K.set_seed(11)
    assert stream_of("encoder/kernel/random_uniform") == (11, inside)
    assert stream_of("random_uniform") == (11, outside)


def test_a_scope_ends_with_an_error():
    expected = stream_of("after")
    K.set_seed(11)
    with pytest.raises(RuntimeError, match="inside"), scope("a"):
        raise RuntimeError("inside")
    assert stream_of("after") == expected


def test_scopes_belong_to_a_thread():
    found = []
    with scope("outer"):
        thread = threading.Thread(target=lambda: found.append(id_of(K.random_uniform((2,)))))
        thread.start()
        thread.join()
    K.set_seed(11)
    assert found == [id_of(K.random_uniform((2,)))]


def test_a_path_used_again_differs():
    ids = [id_of(K.random_uniform((2,))) for _ in range(50)]
    assert len(set(ids)) == 50
    K.set_seed(11)
    assert [id_of(K.random_uniform((2,))) for _ in range(50)] == ids


def test_op_ids_leave_room_for_seeds_of_their_own_and_for_shuffles():
    ids = [id_of(K.random_uniform((2,))) for _ in range(200)]
    assert not any(has_own_seed(i) or i >= SHUFFLE_OP_ID for i in ids)
    assert id_of(K.random_uniform((2,), seed=4)) == 0 and has_own_seed(0)


def test_op_ids_do_not_depend_on_the_process(fresh_python):
    """Not on Python's randomised hashes, above all."""
    code = "from kbackend import K; K.set_seed(11); print(K.random_uniform((2,)).node.attrs['op_id'])"
    found = {fresh_python(code, {"PYTHONHASHSEED": str(seed)}) for seed in (1, 2)}
    assert found == {f"{id_of(K.random_uniform((2,)))}\n"}


def test_two_paths_of_one_hash_get_two_op_ids(monkeypatch):
    hashed = _hashed
    monkeypatch.setattr(streams, "_hashed", lambda text: 1 << 21 if len(text) < 20 else hashed(text))
    ids = [id_of(draw((2,))) for draw in (K.random_uniform, K.random_normal, K.truncated_normal)]
    assert ids[0] == 1 << 21 and len(set(ids)) == 3


def test_any_number_of_collisions_is_handled(monkeypatch):
    monkeypatch.setattr(streams, "_hashed", lambda text: (1 << 20) + text.count("'"))
    ids = [id_of(K.random_uniform((2,))) for _ in range(20)]
    assert ids == list(range(1 << 20, (1 << 20) + 20))


# ------------------------------------------------------------------------------------------- other draws


def test_a_draw_does_not_change_when_other_draws_come_or_go():
    alone = np.asarray(K.random_normal((9,)))
    K.set_seed(11)
    K.random_uniform((3,))
    K.dropout(K.ones((4,)), 0.5)
    random.gamma((2,), 1.0)
    assert np.array_equal(np.asarray(K.random_normal((9,))), alone)


def test_weights_do_not_change_when_dropout_comes():
    def first_and_last(*between):
        K.set_seed(11)
        model = Sequential([layers.Dense(4, input_shape=(5,)), *between, layers.Dense(3)])
        return kernel(model.layers[0]), kernel(model.layers[-1])

    expected = first_and_last()
    assert first_and_last(layers.Dropout(0.5)) == expected
    assert first_and_last(layers.GaussianNoise(0.1), layers.Dropout(0.5), layers.BatchNormalization()) == expected


def test_masks_do_not_change_when_layers_come():
    def mask(*before):
        K.set_seed(11)
        inputs = Input((50,))
        x = inputs
        for layer in before:
            x = layer(x)
        dropped = layers.Dropout(0.5)(K.ones_like(inputs))
        return K.function([inputs, K.learning_phase()], [dropped])([np.ones((4, 50)), 1])[0].tobytes()

    assert mask() == mask(layers.Dense(50), layers.GaussianNoise(0.1))


# ------------------------------------------------------------------------------------------- layers


def test_named_layers_have_the_same_weights_in_either_order():
    first = {name: kernel(built(layers.Dense(4, name=name))) for name in ("left", "right")}
    K.set_seed(11)
    second = {name: kernel(built(layers.Dense(4, name=name))) for name in ("right", "left")}
    assert first == second and first["left"] != first["right"]


def test_layers_without_names_depend_on_the_order_in_their_class_alone():
    a, b = (kernel(built(layers.Dense(4))) for _ in range(2))
    K.set_seed(11)
    c = kernel(built(layers.Dense(4)))
    built(layers.Dense(4, name="named"))
    built(layers.BatchNormalization())
    layers.Dropout(0.3)(Input((5,)))
    d = kernel(built(layers.Dense(4)))
    assert (a, b) == (c, d) and a != b


def test_the_order_is_that_of_drawing_and_not_of_making():
    expected = kernel(built(layers.Dense(4)))
    K.set_seed(11)
    layers.Dense(4)
    assert kernel(built(layers.Dense(4))) == expected


def test_automatic_names_go_on_and_weights_do_not():
    def weights():
        K.set_seed(11)
        layer = built(layers.Dense(4))
        return layer.name, kernel(layer)

    (first_name, first), (second_name, second) = weights(), weights()
    assert first == second and first_name != second_name


def test_a_seed_before_each_of_two_models_gives_equal_weights():
    def model():
        K.set_seed(3)
        inputs = Input((6, 5))
        x = layers.LSTM(4)(inputs)
        x = layers.Dropout(0.2)(x)
        return Model(inputs, layers.Dense(2)(layers.Dense(3, name="middle")(x)))

    first, second = model().get_weights(), model().get_weights()
    assert len(first) == 7
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    K.set_seed(4)
    assert not np.array_equal(built(layers.Dense(3, name="middle"), 4).get_weights()[0], first[3])


def test_weights_of_a_layer_differ():
    weights = built(layers.Dense(5, bias_initializer="random_normal", kernel_initializer="random_normal")).get_weights()
    assert not np.array_equal(weights[0][0], weights[1])


def test_a_layer_called_twice_draws_twice():
    inputs = Input((200,))
    dropout = layers.Dropout(0.5)
    found = K.function([inputs, K.learning_phase()], [dropout(inputs), dropout(inputs)])([np.ones((1, 200)), 1])
    assert not np.array_equal(*found)


def test_a_layer_with_a_seed_is_the_same_in_any_model():
    def kernels(*before):
        model = Sequential([*before, layers.Dense(5, kernel_initializer=kbackend.initializers.GlorotUniform(seed=9))])
        model.build((None, 5))
        return kernel(model.layers[-1])

    expected = kernels()
    K.set_seed(99)
    assert kernels(layers.Dense(5), layers.Dropout(0.1)) == expected


def test_inferring_shapes_leaves_no_trace():
    expected = kernel(built(layers.Dense(4), 6))
    K.set_seed(11)
    layer = layers.Dense(4)
    assert layer.compute_output_shape((None, 6)) == (None, 4)
    assert layers.Dropout(0.5).compute_output_shape((None, 6)) == (None, 6)
    assert kernel(built(layer, 6)) == expected


def test_draws_in_a_trial_are_not_counted():
    with trying():
        inside = [id_of(K.random_uniform((2,))) for _ in range(3)]
        name = Owner(None, "dense").path_name()
    assert id_of(K.random_uniform((2,))) == inside[0]
    assert Owner(None, "dense").path_name() == "<dense 0>" != name


def test_an_owner_is_numbered_anew_after_a_seed():
    first, second = Owner(None, "dense"), Owner(None, "dense")
    assert (first.path_name(), second.path_name(), first.path_name()) == ("<dense 0>", "<dense 1>", "<dense 0>")
    K.set_seed(11)
    assert (second.path_name(), first.path_name()) == ("<dense 0>", "<dense 1>")
    assert Owner("own", "dense").path_name() == "own"


# ------------------------------------------------------------------------------------------- generators


def test_a_generator_gives_a_sequence_of_draws():
    def values():
        generator = random.SeedGenerator(3)
        return [np.asarray(random.uniform((4,), seed=generator)).tobytes() for _ in range(5)]

    first = values()
    K.set_seed(12)
    random.uniform((4,))
    assert values() == first and len(set(first)) == 5


def test_the_first_draw_of_a_generator_is_that_of_its_seed():
    generator = random.SeedGenerator(3)
    assert np.array_equal(random.uniform((4,), seed=generator), random.uniform((4,), seed=3))


def test_a_generator_without_a_seed_takes_one_of_the_process():
    def seeds():
        K.set_seed(11)
        return [random.SeedGenerator().seed, random.SeedGenerator().seed, random.SeedGenerator(name="own").seed]

    found = seeds()
    assert len(set(found)) == 3 and seeds() == found
    K.set_seed(12)
    assert random.SeedGenerator().seed not in found


def test_a_generator_in_threads_gives_each_op_id_once():
    generator, found = random.SeedGenerator(1), []
    threads = [threading.Thread(target=lambda: found.extend(generator.next() for _ in range(500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(1, i) for i in range(2000)]


def test_a_generator_ends_before_it_repeats():
    generator = random.SeedGenerator(1)
    generator.count = (1 << 20) - 1
    assert generator.next() == (1, (1 << 20) - 1)
    with pytest.raises(RuntimeError, match="make another"):
        generator.next()


def test_a_generator_goes_through_its_config():
    generator = random.SeedGenerator(-1, name="noise")
    again = random.SeedGenerator.from_config(generator.get_config())
    assert (again.seed, again.name) == (2**64 - 1, "noise") == (generator.seed, generator.name)
    with pytest.raises(TypeError, match="colour"):
        random.SeedGenerator(1, colour=2)
    with pytest.raises(TypeError, match="integer"):
        random.SeedGenerator("1")


def test_a_seed_is_an_integer_or_a_generator():
    with pytest.raises(TypeError, match="SeedGenerator"):
        random.uniform((2,), seed="3")
