"""Models from files of any format that is known, told apart by their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend.registry import check_named
from kbackend.saving import archive, keras, tensors
from kbackend.saving.errors import FormatError
from kbackend.saving.model_file import read_model


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model in a file. Nothing that the file holds is executed.

    Args:
        path: a file that ``model.save`` wrote, or a ``.keras`` or ``.h5`` file of Keras 1, 2 or 3, which needs h5py and
            neither Keras nor an engine; or a stream of its bytes, an HDF5 file that is open, or a group in one.
        custom_objects: classes and functions by the names that the file has for them, and functions of Lambda layers by
            the names of the layers.
        compile: whether the model is compiled as the saved one was, with the state of its optimizer and the position of
            its training.

    Returns:
        A model that predicts and trains on as the saved one would have, on any engine.

    Raises:
        FormatError: the file is damaged, of another format, or names something unknown; the message names the member
            and the reason.
        FileNotFoundError: no file.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend.models import load_model
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.kb")
    >>> model.save(path)
    >>> load_model(path).output_shape
    (None, 2)
    """
    check_named(custom_objects)
    with keras.content_of(path) as (content, group):
        if keras.is_hdf5(content):
            return keras.read_hdf5(content, custom_objects, compile, group)
        if not archive.is_archive(content):
            if tensors.is_safetensors(content):
                raise FormatError("it holds weights alone; build the model and call model.load_weights")
            raise FormatError("it is no file of kbackend, no .keras and no .h5")
        if archive.has(content, archive.MANIFEST):
            return read_model(content, custom_objects, compile)
        return keras.read_archive(content, custom_objects, compile)
