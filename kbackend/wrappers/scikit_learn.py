"""Models as estimators of scikit-learn: for its pipelines, cross-validation and searches. Keras 2's module.

scikit-learn itself is not needed; an estimator is what has its methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kbackend.ground.public import Public
from kbackend.ground.suggest import did_you_mean
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.models import Model
from kbackend.utils.generic_utils import has_arg
from kbackend.utils.numerical import to_categorical

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]

_METHODS: tuple[Callable[..., Any], ...] = (Model.fit, Model.predict, Model.evaluate)
_ACCURACIES = ("acc", "accuracy")


class BaseWrapper(Public):
    """What the classifier and the regressor share.

    Args:
        build_fn: a function that returns a compiled model, or an object that is called for it; a subclass may have a
            method ``__call__`` in its place.
        sk_params: arguments of ``build_fn``, and of ``fit``, ``predict`` and ``evaluate`` of models: what searches may
            change.

    Raises:
        ValueError: an argument of none of these.

    Attributes:
        model: the model, after ``fit``.

    >>> from kbackend import Sequential, layers
    >>> from kbackend.wrappers.scikit_learn import BaseWrapper
    >>> def build(units=4):
    ...     model = Sequential([layers.Dense(units, input_shape=(2,))])
    ...     model.compile("sgd", "mse")
    ...     return model
    >>> estimator = BaseWrapper(build, units=8, epochs=3)
    >>> estimator.set_params(units=16).filter_sk_params(build)
    {'units': 16}
    """

    model: Any = None
    _kind = ""

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable[..., Any]:
        if self.build_fn is not None:
            return self.build_fn
        if not callable(self):
            raise ValueError(
                f"{type(self).__name__} needs build_fn, a function that returns a compiled model, or a method __call__"
            )
        return self

    def _names(self) -> set[str]:
        builder = self._builder()
        known = {name for function in (*_METHODS, builder) for name in inspect.signature(function).parameters}
        return known - {"self"}

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise ValueError for names that are arguments neither of the builder nor of ``fit``, ``predict`` and
        ``evaluate``.
        """
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(self._builder()).parameters.values()):
            return
        known = self._names()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{name} is an argument neither of build_fn nor of fit, predict and evaluate."
                    f"{did_you_mean(name, known)}"
                )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, for ``sklearn.base.clone``."""
        return {"build_fn": self.build_fn, **self.sk_params}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change arguments; returns the estimator."""
        given = dict(params)
        if "build_fn" in given:
            self.build_fn = given.pop("build_fn")
        self.check_params(given)
        self.sk_params = {**self.sk_params, **given}
        return self

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that a function takes.

        Args:
            fn: the function.
            override: added to them.
        """
        taken = {name: value for name, value in self.sk_params.items() if has_arg(fn, name)}
        return {**taken, **(override or {})}

    def _fit(self, x: Any, y: np.ndarray, options: Mapping[str, Any]) -> Any:
        builder = self._builder()
        takes_all = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(builder).parameters.values())
        others = set(self.sk_params) - {n for m in _METHODS for n in inspect.signature(m).parameters}
        extra = {name: self.sk_params[name] for name in others} if takes_all else {}
        self.model = builder(**{**self.filter_sk_params(builder), **extra})
        return self.model.fit(x, self._targets(y), **self.filter_sk_params(Model.fit, options))

    def _targets(self, y: Any) -> np.ndarray:
        """Classes as rows where the loss compares rows."""
        array = np.asarray(y)
        settings = self._fitted()._steps.settings
        loss = None if settings is None else settings.loss
        name = getattr(loss, "__name__", getattr(loss, "name", loss))
        return to_categorical(array) if name == "categorical_crossentropy" and array.ndim < 2 else array

    def _fitted(self) -> Any:
        if self.model is None:
            raise ValueError(f"{type(self).__name__} has no model yet; call fit first")
        return self.model

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None

    @property
    def _estimator_type(self) -> str:
        return self._kind

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn from 1.6 on asks estimators."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type=self._kind,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if self._kind == "classifier" else None,
            regressor_tags=RegressorTags() if self._kind == "regressor" else None,
        )

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({arguments})"


class KerasClassifier(BaseWrapper):
    """A model as a classifier of scikit-learn.

    Args:
        build_fn, sk_params: see :class:`BaseWrapper`.

    Attributes:
        classes_, n_classes_: the classes that ``fit`` saw, in order, and how many.

    >>> import numpy as np
    >>> from kbackend import Sequential, layers
    >>> from kbackend.wrappers.scikit_learn import KerasClassifier
    >>> def build(units=4):
    ...     model = Sequential([layers.Dense(units, "tanh", input_shape=(2,)), layers.Dense(2, "softmax")])
    ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]] * 50)
    >>> y = np.array(["left", "right"] * 50)
    >>> classifier = KerasClassifier(build, units=8, epochs=30, verbose=0)
    >>> _ = classifier.fit(x, y)
    >>> classifier.predict(x[:2]).tolist(), classifier.score(x, y)
    (['left', 'right'], 1.0)
    """

    classes_: np.ndarray
    n_classes_: int
    _kind = "classifier"

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Build a model and train it.

        Args:
            x: the samples.
            y: a class for each, of any kind, or rows with a 1.
            sample_weight: a weight for each, None for none.
            kwargs: further arguments of the model's ``fit``.

        Returns:
            What the model's ``fit`` returns.

        Raises:
            ValueError: labels of more than two axes.
        """
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] > 1:
            self.classes_ = np.arange(labels.shape[1])
        elif labels.ndim == 1 or labels.ndim == 2:
            self.classes_, labels = np.unique(labels.ravel(), return_inverse=True)
        else:
            raise ValueError(f"y must be classes or rows with a 1, the shape is {labels.shape}")
        self.n_classes_ = len(self.classes_)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._fit(x, labels, {**kwargs, **weights})

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The class of each sample; ``kwargs`` are those of the model's ``predict``."""
        found = self._outputs(x, kwargs)
        numbers = found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype(int)[..., 0]
        return self.classes_[numbers]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class (samples, classes), two of them for a model with one output."""
        found = self._outputs(x, kwargs)
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def _outputs(self, x: Any, options: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(self._fitted().predict(x, **self.filter_sk_params(Model.predict, options)))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The fraction of samples whose class is right, as the model's accuracy metric measures it.

        Args:
            x, y: samples and classes.
            kwargs: further arguments of the model's ``evaluate``.

        Raises:
            ValueError: the model was not compiled with ``metrics=["accuracy"]``.
        """
        labels = np.asarray(y)
        if labels.ndim == 1 or labels.shape[1] == 1:
            labels = np.searchsorted(self.classes_, labels.ravel())
        model = self._fitted()
        options = self.filter_sk_params(Model.evaluate, kwargs)
        values = model.evaluate(x, self._targets(labels), **options)
        found = dict(zip(model.metrics_names, np.atleast_1d(values), strict=False))
        for name in _ACCURACIES:
            if name in found:
                return float(found[name])
        raise ValueError("the model measures no accuracy; pass metrics=['accuracy'] to compile in build_fn")


class KerasRegressor(BaseWrapper):
    """A model as a regressor of scikit-learn.

    Args:
        build_fn, sk_params: see :class:`BaseWrapper`.

    >>> import numpy as np
    >>> from kbackend import Sequential, layers, optimizers
    >>> from kbackend.wrappers.scikit_learn import KerasRegressor
    >>> def build(rate=0.1):
    ...     model = Sequential([layers.Dense(1, input_shape=(1,))])
    ...     model.compile(optimizers.SGD(rate), "mse")
    ...     return model
    >>> x = np.array([[-1.0], [1.0]])
    >>> regressor = KerasRegressor(build, rate=0.25, epochs=30, verbose=0)
    >>> _ = regressor.fit(x, 3 * x[:, 0] + 1)
    >>> regressor.predict(x).round(3).tolist(), round(regressor.score(x, [2.0, 4.0]), 3)
    ([-2.0, 4.0], -8.0)
    """

    _kind = "regressor"

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build a model and train it; ``kwargs`` are further arguments of its ``fit``, which says what is returned."""
        return self._fit(x, np.asarray(y), kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The value of each sample; ``kwargs`` are those of the model's ``predict``."""
        found = np.asarray(self._fitted().predict(x, **self.filter_sk_params(Model.predict, kwargs)))
        return np.squeeze(found, axis=-1) if found.shape[-1] == 1 else found

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The negative loss: the larger the better, as scikit-learn needs it.

        Args:
            x, y: samples and values.
            kwargs: further arguments of the model's ``evaluate``.
        """
        loss = self._fitted().evaluate(x, y, **self.filter_sk_params(Model.evaluate, kwargs))
        return -float(np.atleast_1d(loss)[0])


_suggest_in(__name__)
