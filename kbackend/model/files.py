"""The files of a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kbackend import saving


class HasFiles:
    """The part of a model that writes it to files and reads its weights."""

    get_config: Any
    _write: Callable[[Callable[[], None]], None]

    def save(
        self, path: Any, overwrite: bool = True, include_optimizer: bool = True, keras_version: int | None = None
    ) -> None:
        """Write structure, weights, optimizer and the position of the training to a file.

        :func:`kbackend.models.load_model` reads it, on any engine; the model then trains on as if it had never stopped.
        A kill at any instant leaves an old file or the new one.

        Args:
            path: the file, by convention ``.kb``. With the end ``.keras`` or ``.h5`` it is one that Keras 3 reads; this
                needs h5py. A stream of bytes, an HDF5 file that is open or a group in one gets what an ``.h5`` holds.
            overwrite: whether a file may be replaced.
            include_optimizer: whether a compiled model is saved with its optimizer and position.
            keras_version: which Keras reads a ``.keras`` or ``.h5`` file: 3, or 2 for tf-keras. 3 when None.

        Raises:
            ValueError: the model has no plain form, or Keras has not a part of it; the message names the layer.
            FileExistsError: the file exists and ``overwrite`` is False.
            OSError: the file cannot be written; an old one is untouched.
        """
        self._write(lambda: saving.save_model(self, path, overwrite, include_optimizer, keras_version))

    def export(
        self, path: Any, format: str | None = None, *, engine: str | None = None, overwrite: bool = True
    ) -> None:
        """Write the prediction program for use without kbackend.

        ======================  =========================================================================
        format                  what is written
        ======================  =========================================================================
        "python"                ``path``, which ends in .py, and a file of the same name that ends in
                                .safetensors: the program as text, and the weights. They need the engine
                                and safetensors; ``load()`` gives an object with ``predict(inputs)``, on
                                torch an ``nn.Module``, on TensorFlow a ``tf.Module``, which can be trained
        "torch_export"          a file for ``torch.export.load``
        "onnx"                  a file of ONNX, opset 20, through torch
        "tf_saved_model"        a folder for ``tf.saved_model.load``
        "tflite"                a file for ``tf.lite.Interpreter``
        ======================  =========================================================================

        The size of the batch stays open in all of them, and is called "batch" in ONNX and torch.

        Args:
            path: the file or folder.
            format: as above; "python" when None and the path ends in .py.
            engine: whose kernels it computes with; the model's own when None, or the one that has the format.
            overwrite: whether a file may be replaced.

        Raises:
            ExportError: the engine has no such format, or it cannot hold the model; the message says which layer or
                operation, and why. It is a ValueError.
            ImportError: a package is missing; the message says what to install.
            FileExistsError: the file exists and ``overwrite`` is False.
            RuntimeError: the model is not built.

        >>> import tempfile, pathlib
        >>> from kbackend import Input, Model, layers
        >>> x = Input((2,), name="x")
        >>> path = pathlib.Path(tempfile.mkdtemp(), "model.py")
        >>> Model(x, layers.Dense(1)(x)).export(path, engine="numpy")
        >>> "def load(" in path.read_text()
        True
        """
        self._write(lambda: saving.export_model(self, path, format, engine, overwrite))

    def to_json(self, **kwargs: Any) -> str:
        """The structure as JSON text; ``models.model_from_json`` reads it."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """The structure as YAML text; ``models.model_from_yaml`` reads it. It needs PyYAML."""
        from kbackend.saving.yaml_text import yaml_of

        return yaml_of({"class_name": type(self).__name__, "config": self.get_config(), **kwargs})

    def __reduce__(self) -> Any:
        """Pickled and copied as the file that :meth:`save` writes, with references to the classes and functions that it
        names; those that pickle cannot find by name are given by a ``custom_object_scope`` around the load."""
        from kbackend.saving import copying

        return copying.model_copy, copying.references_of(self)

    def __deepcopy__(self, memo: Any) -> Any:
        """A model with weights, optimizer and random streams of its own; functions and classes are shared."""
        from kbackend.saving import copying

        made = memo[id(self)] = copying.model_copy(*copying.parts_of(self))
        return made

    def save_weights(self, path: Any, overwrite: bool = True) -> None:
        """Write the weights to a file, by layer and name.

        Args:
            path: the file, by convention ``.safetensors``. With the end ``.weights.h5`` Keras 3 and tf-keras read it,
                with the end ``.h5`` Keras 2 and tf-keras; these need h5py. A stream of bytes, an HDF5 file that is
                open or a group in one gets what such an ``.h5`` holds.
            overwrite: whether a file may be replaced.

        Raises:
            FileExistsError: the file exists and ``overwrite`` is False.
            OSError: the file cannot be written; an old one is untouched.
        """
        self._write(lambda: saving.save_weights(self, path, overwrite))

    def load_weights(
        self, path: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
    ) -> list[str]:
        """Set the weights to those in a file.

        Args:
            path: a file that :meth:`save_weights` wrote, a ``.keras`` or ``.weights.h5`` of Keras 3, an ``.h5`` of
                Keras 1, 2 or 3; or a stream of its bytes, an HDF5 file that is open, or a group in one.
            by_name: whether layers are matched by their names, and others left as they are; else by their order.
            skip_mismatch: whether layers whose weights do not fit are left as they are, with a warning that names them.
            reshape: whether arrays of another shape with as many elements are reshaped, such as those of a dense layer
                for a convolution of 1 by 1.

        Returns:
            The names of the layers that were left as they are.

        Raises:
            FormatError: the file is damaged or does not fit; nothing has changed then.
            FileNotFoundError: no file.
        """
        return saving.load_weights(self, path, by_name, skip_mismatch, reshape)

    def save_checkpoint(self, path: Any) -> None:
        """Write weights, optimizer state, random counters and epochs to a file; see
        :func:`kbackend.saving.save_checkpoint`."""
        self._write(lambda: saving.save_checkpoint(self, path))

    def load_checkpoint(self, path: Any) -> int:
        """Go back to a file's state and return its number of epochs; see
        :func:`kbackend.saving.load_checkpoint`."""
        return saving.load_checkpoint(self, path)
