"""Models, functions and variables through pickle and deepcopy."""

import copy
import pickle

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers

X = np.random.RandomState(0).rand(20, 3).astype(np.float32)


class Twice(layers.Layer):
    def call(self, inputs):
        return inputs * 2


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


both = pytest.mark.parametrize("again", [through_pickle, copy.deepcopy], ids=["pickle", "deepcopy"])


@both
def test_models_train_on_apart(each_backend, again):
    kbackend.set_seed(1)
    x = Input((3,))
    model = Model(x, layers.Dropout(0.5)(Twice()(layers.Dense(2)(x))))
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    other = again(model)
    before = model.get_weights()
    losses = other.fit(X, X[:, :2], verbose=0).history
    assert all((a == b).all() for a, b in zip(before, model.get_weights()))
    assert model.fit(X, X[:, :2], verbose=0).history == losses


def test_deepcopy_keeps_the_functions_of_lambdas():
    x = Input((3,))
    model = Model(x, layers.Lambda(lambda v: v + 1)(layers.Lambda(lambda v: v * 5)(x)))
    assert (copy.deepcopy(model).predict(X) == model.predict(X)).all()


@both
def test_variables_are_apart(again):
    variable = K.variable([1.0, 2.0], name="v")
    variable.trainable = False
    other = again(variable)
    K.set_value(variable, [5.0, 6.0])
    assert K.get_value(other).tolist() == [1.0, 2.0]
    assert (other.name, other.dtype, other.shape, other.trainable) == ("v", "float32", (2,), False)


def test_a_list_keeps_that_its_entries_are_one_variable():
    variable = K.variable(1.0)
    first, second = copy.deepcopy([variable, variable])
    assert first is second and first is not variable


@both
def test_functions_have_variables_of_their_own(each_backend, again):
    x = K.placeholder((None, 3))
    count = K.variable(0.0)
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x + count, x)], [K.update_add(count, 1.0)])
    f([X, 1])
    other = again(f)
    assert (other([X, 1])[0] == f([X, 1])[0]).all()
    assert (other([X, 0])[0] == X).all()
    assert K.get_value(count) == 2.0


def test_tensors_and_sparse_functions_are_refused():
    x = K.placeholder((None, 3), sparse=True)
    with pytest.raises(TypeError, match="sparse"):
        pickle.dumps(K.function([x], [K.to_dense(x)]))
    with pytest.raises(TypeError, match="symbolic tensor"):
        pickle.dumps(K.placeholder((2,)))


def test_what_pickle_cannot_find_is_given_by_a_scope():
    class Thrice(layers.Layer):
        def call(self, inputs):
            return inputs * 3

    def distance(y, found):
        return K.mean(K.abs(y - found), axis=-1)

    x = Input((3,))
    model = Model(x, Thrice()(Twice()(x)))
    model.compile("sgd", distance)
    state = pickle.dumps(model)
    with pytest.raises(ValueError, match="Thrice"):
        pickle.loads(state)
    with kbackend.utils.custom_object_scope({"Thrice": Thrice, "distance": distance}):
        other = pickle.loads(state)
    assert other.evaluate(X, X, verbose=0) == model.evaluate(X, X, verbose=0) > 0
    assert (copy.copy(model).predict(X) == model.predict(X)).all()
