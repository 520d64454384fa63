"""Models from files of any format that is known, told apart by their content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kbackend.saving import archive
from kbackend.saving.errors import FormatError
from kbackend.saving.model_file import read_model


def load_model(
    path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """The model in a file. Nothing that the file holds is executed.

    Args:
        path: a file that ``model.save`` wrote.
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
    """
    name = os.fspath(path)
    try:
        with archive.mapped(path) as content:
            if archive.is_archive(content):
                return read_model(content, custom_objects, compile)
            raise FormatError("the file is of no known format")
    except FormatError as error:
        raise error.inside(str(name)) from error.__cause__
