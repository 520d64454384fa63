"""The files of a model."""

from __future__ import annotations

from typing import Any

from kbackend.saving import (
    copying,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_model,
    save_weights,
)


class HasFiles:
    """The part of a model that writes it to files and reads its weights."""

    def save(self, path: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write structure, weights, optimizer and the position of the training to a file.

        :func:`kbackend.models.load_model` reads it, on any engine; the model then trains on as if it had never stopped.
        A kill at any instant leaves an old file or the new one.

        Args:
            path: the file, by convention ``.kb``. With the end ``.keras`` or ``.h5`` it is one that Keras 3 reads; this
                needs h5py.
            overwrite: whether a file may be replaced.
            include_optimizer: whether a compiled model is saved with its optimizer and position.

        Raises:
            ValueError: the model has no plain form, or Keras has not a part of it; the message names the layer.
            FileExistsError: the file exists and ``overwrite`` is False.
            OSError: the file cannot be written; an old one is untouched.
        """
        save_model(self, path, overwrite, include_optimizer)

    def __reduce__(self) -> Any:
        """Pickled and copied as the file that :meth:`save` writes, with references to the classes and functions that it
        names."""
        return copying.model_copy, copying.parts_of(self)

    def __deepcopy__(self, memo: Any) -> Any:
        """A model with weights, optimizer and random streams of its own; functions and classes are shared."""
        made = memo[id(self)] = copying.model_copy(*copying.parts_of(self))
        return made

    def save_weights(self, path: Any, overwrite: bool = True) -> None:
        """Write the weights to a file, by layer and name.

        Args:
            path: the file, by convention ``.safetensors``. With the end ``.weights.h5`` it is one of Keras 3.
            overwrite: whether a file may be replaced.

        Raises:
            FileExistsError: the file exists and ``overwrite`` is False.
            OSError: the file cannot be written; an old one is untouched.
        """
        save_weights(self, path, overwrite)

    def load_weights(self, path: Any, by_name: bool = False, skip_mismatch: bool = False) -> list[str]:
        """Set the weights to those in a file.

        Args:
            path: a file that :meth:`save_weights` wrote, a ``.weights.h5`` of Keras 3 or an ``.h5`` of Keras 1, 2 or 3.
            by_name: whether layers are matched by their names, and others left as they are; else by their order.
            skip_mismatch: whether layers whose weights do not fit are left as they are.

        Returns:
            The names of the layers that were left as they are.

        Raises:
            FormatError: the file is damaged or does not fit; nothing has changed then.
            FileNotFoundError: no file.
        """
        return load_weights(self, path, by_name, skip_mismatch)

    def save_checkpoint(self, path: Any) -> None:
        """Write weights, optimizer state, random counters and epochs to a file; see
        :func:`kbackend.saving.save_checkpoint`."""
        save_checkpoint(self, path)

    def load_checkpoint(self, path: Any) -> int:
        """Go back to a file's state and return its number of epochs; see
        :func:`kbackend.saving.load_checkpoint`."""
        return load_checkpoint(self, path)
