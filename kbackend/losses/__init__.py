"""Losses: functions of ``(y_true, y_pred)`` that give one value for each sample, and their classes, which reduce.

>>> from kbackend import losses
>>> float(losses.MeanSquaredError()([[0.0, 1.0]], [[2.0, 3.0]], sample_weight=[0.5]))
2.0
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kbackend import registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.losses.base import FUNCTIONS, Loss, LossFunction, LossFunctionWrapper, Reduction
from kbackend.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    ctc,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from kbackend.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from kbackend.losses.overlap import Circle, Dice, Tversky, circle, dice, tversky
from kbackend.losses.probabilistic import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)
from kbackend.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
huber_loss = huber
cosine = cosine_proximity = cosine_similarity

CLASSES: dict[str, Any] = {
    c.__name__: c
    for c in (
        BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy, CategoricalFocalCrossentropy,
        CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, CosineSimilarity, Dice, Hinge, Huber,
        KLDivergence, LogCosh, LossFunctionWrapper, MeanAbsoluteError, MeanAbsolutePercentageError,
        MeanSquaredError, MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge, Tversky,
    )
}  # fmt: skip
FUNCTIONS |= {
    f.__name__: f
    for f in (
        binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
        categorical_generalized_cross_entropy, categorical_hinge, circle, cosine_similarity, ctc, dice, hinge, huber,
        kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
        mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge, tversky,
    )
}  # fmt: skip
#: functions whose value for a sample depends on the others of its batch
OF_BATCHES = (circle, dice, hinge, squared_hinge, tversky)
ALIASES: dict[str, Any] = {
    name: globals()[name]
    for name in (
        "mse MSE mae MAE mape MAPE msle MSLE bce BCE kld KLD kullback_leibler_divergence logcosh huber_loss cosine "
        "cosine_proximity"
    ).split()
}
_BUILTIN: dict[str, Any] = {**CLASSES, **FUNCTIONS, **ALIASES}
#: by identity, as losses of users may compare in any way
_KNOWN = frozenset(map(id, (*CLASSES.values(), *FUNCTIONS.values())))


def get(identifier: Any) -> Any:
    """A loss from a name, a configuration, a function ``(y_true, y_pred)`` or a Loss; None for None.

    Args:
        identifier: a name, a configuration, a function, a Loss, or None.

    Returns:
        The function of a function's name, a Loss for the name or configuration of a class.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> from kbackend import losses
    >>> losses.get("mse") is losses.mean_squared_error
    True
    """
    if identifier is None:
        return None
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    if not isinstance(identifier, (str, dict)):
        raise ValueError(
            f"a loss is a name, a function (y_true, y_pred), a Loss or a configuration, not {identifier!r}"
        )
    return registry.make(identifier, _BUILTIN, "loss")


def serialize(loss: Any) -> Any:
    """The name of a loss function, the configuration of a Loss.

    Args:
        loss: a function or a Loss.

    >>> from kbackend import losses
    >>> losses.serialize(losses.mean_squared_error)
    'mean_squared_error'
    """
    return registry.plain(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a name or configuration; see :func:`get`.

    Args:
        name: a name, or a configuration as :func:`kbackend.losses.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import losses
    >>> losses.deserialize("mse").__name__
    'mean_squared_error'
    """
    with registry.custom_object_scope(custom_objects):
        return get(name)


def function_of(loss: Any) -> Any:
    """The function that a loss computes: itself, or that of a wrapper or of a ``functools.partial``."""
    while isinstance(loss, (LossFunctionWrapper, partial)):
        loss = loss.fn if isinstance(loss, LossFunctionWrapper) else loss.func
    return loss


def is_own(loss: Any) -> bool:
    """Whether a loss is none of these, so that nothing is known of the targets that it takes."""
    function = function_of(loss)
    return id(type(function)) not in _KNOWN and id(function) not in _KNOWN


def as_loss(loss: Any, dtype: Any = None) -> Loss:
    """A loss as a Loss; a function is wrapped, with the dtype in which it is computed."""
    return loss if isinstance(loss, Loss) else LossFunctionWrapper(loss, dtype=dtype)


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss is the crossentropy of one-hot targets, in any of its forms.

    Args:
        loss: a name, a function or a Loss.

    >>> from kbackend import losses
    >>> losses.is_categorical_crossentropy("categorical_crossentropy"), losses.is_categorical_crossentropy("mse")
    (True, False)
    """
    return function_of(loss) is categorical_crossentropy or loss == "categorical_crossentropy"


_OF_LABELS = (sparse_categorical_crossentropy, categorical_generalized_cross_entropy, circle)


def takes_labels(loss: Any) -> bool:
    """Whether the loss wants integer labels, one for each prediction."""
    return any(function_of(loss) is function for function in _OF_LABELS)


__all__ = [
    *(name for name in CLASSES),
    *FUNCTIONS,
    *ALIASES,
    "Loss",
    "LossFunction",
    "Reduction",
    "deserialize",
    "get",
    "is_categorical_crossentropy",
    "serialize",
]

_suggest_in(__name__)
