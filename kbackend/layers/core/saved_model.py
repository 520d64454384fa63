"""A SavedModel of TensorFlow as a layer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kbackend.layers.base.naming import described
from kbackend.layers.core.module import TFModule
from kbackend.plugin.select import get_backend


class TFSMLayer(TFModule):
    """A function of a SavedModel folder as a layer. Models with it run on TensorFlow only.

    The variables that the function reads are weights of the model, trained where they are trainable; files of the model
    hold them, and the path of the folder. A SavedModel is a program, so a configuration never loads one by itself:
    ``load_model`` takes the folder in ``custom_objects``, by the name of the layer.

    Args:
        filepath: the folder.
        call_endpoint: the function: an attribute of what is saved, or one of its signatures. Keras's ``export`` writes
            'serve', kbackend's ``model.export(..., "tf_saved_model")`` and most others 'serving_default'.
        call_training_endpoint: the function in training; the same one when None.
        trainable, name, dtype: as of every layer.

    Shapes: those of the function. It takes a tensor, list or dict, as it was written; a signature takes tensors
    by name, or in the order of the names. Results have the structure that the function gives them.

    Raises:
        ValueError: the folder holds no SavedModel or not that function; the message lists what it holds.

    Source: Keras 3's layer of that name.

    >>> import os, tempfile
    >>> from kbackend import Input, available_backends, layers
    >>> if "tensorflow" in available_backends():
    ...     import tensorflow as tf
    ...     module = tf.Module()
    ...     module.double = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec((None, 3))])
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         tf.saved_model.save(module, folder)
    ...         layer = layers.TFSMLayer(folder, call_endpoint="double")
    ...     assert layer(Input((3,))).shape == (None, 3)
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        self.filepath = os.fspath(filepath)
        self.call_endpoint, self.call_training_endpoint = call_endpoint, call_training_endpoint
        super().__init__(self._loaded, trainable=trainable, name=name, dtype=dtype, **kwargs)

    def _loaded(self) -> Any:
        endpoints = [e for e in (self.call_endpoint, self.call_training_endpoint) if e is not None]
        return get_backend(self.engine).load_module(self.filepath, endpoints, described(self))

    def get_config(self) -> dict[str, Any]:
        """The path of the folder and the names of the functions."""
        found = {k: v for k, v in super().get_config().items() if k not in ("module", "arguments", "output_shape")}
        return {
            **found,
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> Any:
        """A layer from the result of ``get_config``, where ``safe_mode=False`` says that its folder is trusted, or code
        put a ``pathlib.Path`` in its place, which no file can.

        Raises:
            ValueError: neither.
        """
        if safe_mode is not False and not isinstance(config.get("filepath"), os.PathLike):
            raise ValueError(
                f"a {cls.__name__} loads a SavedModel, which is a program, from a path in the configuration. If you "
                f"trust it, call {cls.__name__}.from_config(config, safe_mode=False)"
            )
        return cls(**config)

    def _twin(self, **changes: Any) -> Any:
        return type(self)(**{**self.get_config(), **changes})


__all__ = ["TFSMLayer"]
