"""Models as estimators, alone and in scikit-learn's own tools."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from kbackend import Sequential, layers, losses, optimizers
from kbackend.datasets import digits
from kbackend.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

RNG = np.random.default_rng(6)
X = RNG.normal(size=(90, 3))
Y = (X[:, 0] > 0).astype(int) + (X[:, 0] > 0.7)


def classifier(units=6, loss="sparse_categorical_crossentropy", outputs=3, metrics=("accuracy",)):
    activation = "softmax" if outputs > 1 else "sigmoid"
    model = Sequential([layers.Dense(units, "tanh", input_shape=(3,)), layers.Dense(outputs, activation)])
    model.compile(optimizers.Adam(0.03), loss, metrics=list(metrics))
    return model


def regressor(units=4):
    model = Sequential([layers.Dense(units, "relu", input_shape=(3,)), layers.Dense(1)])
    model.compile(optimizers.Adam(0.03), "mse")
    return model


@pytest.mark.parametrize("loss", [
    "sparse_categorical_crossentropy", "categorical_crossentropy", losses.CategoricalCrossentropy(),
])  # fmt: skip
def test_classes_of_any_kind(loss):
    names = np.array(["low", "mid", "top"])[Y]
    found = KerasClassifier(classifier, loss=loss, epochs=30, batch_size=10, verbose=0)
    history = found.fit(X, names)
    assert len(history.history["loss"]) == 30 and found.n_classes_ == 3
    assert found.classes_.tolist() == ["low", "mid", "top"]
    right = np.mean(found.predict(X) == names)
    assert right > 0.9 and found.score(X, names) == pytest.approx(right)
    probabilities = found.predict_proba(X)
    assert probabilities.shape == (90, 3) and (found.classes_[probabilities.argmax(1)] == found.predict(X)).all()


def test_two_classes_of_one_output():
    found = KerasClassifier(classifier, loss="binary_crossentropy", outputs=1, epochs=30, verbose=0)
    found.fit(X, Y > 0, sample_weight=np.ones(90))
    assert found.predict(X).dtype == bool and found.predict_proba(X).shape == (90, 2)
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1, rtol=1e-6)
    assert found.score(X, Y[:, None] > 0) > 0.8


def test_rows_with_a_1_are_taken():
    found = KerasClassifier(classifier, loss="categorical_crossentropy", epochs=1, verbose=0)
    found.fit(X, np.eye(3)[Y])
    assert found.classes_.tolist() == [0, 1, 2] and found.predict(X).shape == (90,)
    assert 0 <= found.score(X, np.eye(3)[Y]) <= 1


def test_arguments_go_where_they_belong():
    found = KerasClassifier(classifier, units=3, epochs=2, verbose=0)
    assert found.get_params() == {"build_fn": classifier, "units": 3, "epochs": 2, "verbose": 0}
    assert found.set_params(units=5, batch_size=7) is found
    assert found.filter_sk_params(classifier) == {"units": 5}
    assert found.filter_sk_params(Sequential.predict, {"steps": 1}) == {"batch_size": 7, "verbose": 0, "steps": 1}
    history = found.fit(X, Y, epochs=1)
    assert len(history.history["loss"]) == 1 and found.model.layers[-2].units == 5
    assert "KerasClassifier(build_fn=" in repr(found) and "units=5" in repr(found)
    for bad in (lambda: KerasClassifier(classifier, unit=3), lambda: found.set_params(unit=3)):
        with pytest.raises(ValueError, match=r"unit is an argument neither .* Did you mean 'units'\?"):
            bad()


def test_builders_are_functions_objects_or_methods():
    class Builder:
        def __call__(self, units):
            return regressor(units)

    class Own(KerasRegressor):
        def __call__(self, units=2):
            return regressor(units)

    for made in (KerasRegressor(Builder(), units=2), Own(units=2), KerasRegressor(lambda **o: regressor(**o), units=2)):
        made.fit(X, X[:, 0], verbose=0)
        assert made.model.layers[-2].units == 2
    with pytest.raises(ValueError, match="needs build_fn"):
        BaseWrapper()


def test_values():
    found = KerasRegressor(regressor, epochs=60, batch_size=10, verbose=0)
    found.fit(X, X[:, 0] * 2)
    assert found.predict(X).shape == (90,)
    assert found.score(X, X[:, 0] * 2) == pytest.approx(-np.mean((found.predict(X) - X[:, 0] * 2) ** 2), rel=1e-4)
    assert found.score(X, X[:, 0] * 2) > -0.1


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="KerasRegressor has no model yet; call fit first"):
        KerasRegressor(regressor).predict(X)
    found = KerasClassifier(classifier, metrics=(), epochs=1, verbose=0)
    found.fit(X, Y)
    with pytest.raises(ValueError, match=r"pass metrics=\['accuracy'\]"):
        found.score(X, Y)
    with pytest.raises(ValueError, match="y must be classes or rows"):
        found.fit(X, np.zeros((90, 2, 2)))


def test_scikit_learn_searches_and_validates():
    base = pytest.importorskip("sklearn.base")
    from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    estimator = KerasClassifier(classifier, epochs=15, batch_size=15, verbose=0)
    copy = base.clone(estimator)
    assert copy is not estimator and copy.get_params() == estimator.get_params()
    assert base.is_classifier(estimator) and base.is_regressor(KerasRegressor(regressor))
    search = GridSearchCV(estimator, {"units": [4, 8], "epochs": [1, 20]}, cv=3)
    search.fit(X, Y)
    assert search.best_params_["epochs"] == 20 and search.best_score_ > 0.8
    assert (search.predict(X) == search.best_estimator_.predict(X)).all()
    pipeline = make_pipeline(StandardScaler(), KerasRegressor(regressor, epochs=2, verbose=0))
    scores = cross_val_score(pipeline, X, X[:, 1], cv=3)
    assert scores.shape == (3,) and (scores < 0).all()
    assert cross_val_predict(estimator, X, Y, cv=3, method="predict_proba").shape == (90, 3)


def test_an_estimator_learns_digits(each_backend):
    (x, y), (x_test, y_test) = digits.load_data()

    def build():
        model = Sequential([layers.Dense(32, "relu", input_shape=(64,)), layers.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    found = KerasClassifier(build, epochs=6, verbose=0)
    found.fit(x.reshape(-1, 64) / 16, y)
    assert found.score(x_test.reshape(-1, 64) / 16, y_test) > 0.85


def test_parameters_are_pickled():
    found = pickle.loads(pickle.dumps(KerasClassifier(classifier, units=3)))
    assert found.get_params()["units"] == 3
