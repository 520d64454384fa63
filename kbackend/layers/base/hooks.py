"""Methods that programs for Keras override and that nothing calls here: a class that relies on one is refused."""

from __future__ import annotations

from typing import Any

#: of layers, by name
_OF_LAYERS = (
    "_merge_function",
    "_pooling_function",
    "_get_noise_shape",
    "_generate_dropout_mask",
    "_calculate_mean_and_var",
    "convolution_op",
    "get_constants",
    "preprocess_input",
)
#: of models
OF_MODELS = (
    "make_train_function",
    "make_test_function",
    "make_predict_function",
    "_make_train_function",
    "_make_test_function",
    "_make_predict_function",
)


def refuse_ignored(cls: Any, package: str) -> None:
    """Refuse a class that defines a method which the ``call`` that it inherits does not use.

    Args:
        cls: the class of a layer.
        package: of the library; a ``call`` from elsewhere may use whatever it likes.

    Raises:
        TypeError: it defines one; the message names it.
    """
    if cls.__module__.startswith(package) or not getattr(cls.call, "__module__", "").startswith(package):
        return
    ignored = [name for name in _OF_LAYERS if name in vars(cls) and not any(name in vars(c) for c in cls.__mro__[1:])]
    if ignored:
        raise TypeError(
            f"{cls.__name__} overrides {ignored[0]}, which {cls.__mro__[1].__name__} does not use; override call"
        )
