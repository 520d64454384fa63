"""Checkpoints: all state of a training, in one safetensors file.

A checkpoint holds the weights, the optimizer's state and hyperparameters, the counters of all random draws, live
hyperparameters of layers, the number of epochs seen and the seed of the shuffles; one made within ``fit``, also the
place in the epoch and the state of callbacks. A training that goes on from it in another process equals one that was
never interrupted, bit for bit on the same engine with the same number of threads (``kbackend.set_threads``, or
deterministic mode).

It holds no architecture: the model is built by the same code, under the same seed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from kbackend import dtypes
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.graph.walk import Graph
from kbackend.ground.files import write_atomically
from kbackend.saving import archive, tensors
from kbackend.saving.documents import checksum, parsed
from kbackend.saving.errors import FormatError
from kbackend.saving.nested import joined, separated
from kbackend.streams import draws as draws_op

FORMAT, VERSION = "kbackend checkpoint", 3
_META, _CHECKSUM = "kbackend", "sha256"


class Snapshot(NamedTuple):
    """The state of a training at one moment, which later steps do not change.

    Attributes:
        head: what describes it.
        arrays: the values of the variables and the arrays of the place, by their keys in the file.
    """

    head: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def content(self) -> bytes:
        """The file: checksums and bytes, which take longer than a copy of the values."""
        sums = {key: _checksum_of(array) for key, array in self.arrays.items()}
        described = [{**entry, "sha256": sums[f"v{i}"]} for i, entry in enumerate(self.head["variables"])]
        more = {key: found for key, found in sums.items() if not key.startswith("v")}
        text = json.dumps({**self.head, "variables": described, "arrays": more})
        return tensors.stored(self.arrays, {_META: text, _CHECKSUM: checksum(text.encode())})


class State:
    """What a checkpoint of a model's training holds; found once for many checkpoints.

    Args:
        model: a compiled model.
        graphs: further ones whose variables belong to the training, beside that of a plain step.

    Raises:
        RuntimeError: the model is not compiled.
    """

    def __init__(self, model: Any, graphs: Sequence[Graph] = ()) -> None:
        found = [_graph(model), *graphs]
        optimizers = [v for optimizer in model._steps.optimizers for v in optimizer.variables()]
        known = {v.uid: v for v in [*model.weights, *optimizers]}
        for graph in found:
            for variable in graph.variables():
                known.setdefault(variable.uid, variable)
        self.model = model
        self.variables = list(known.values())  # in an order that the code which built the model fixes
        self._described = [_described(v) for v in self.variables]
        self._draws = _draws(found)

    def snapshot(self, epochs: int, place: Mapping[str, Any] | None = None) -> Snapshot:
        """The state now.

        Args:
            epochs: how many epochs were trained to their end.
            place: where in a ``fit`` it is, plain values and arrays; None between two trainings.
        """
        arrays = {f"v{i}": np.asarray(value) for i, value in enumerate(values_of(self.variables))}
        document, inner = separated(place)
        head = {
            "format": FORMAT,
            "version": VERSION,
            "variables": self._described,
            "draws": self._draws,
            "epochs": epochs,
            "shuffle_seed": self.model.shuffle_seed,
            "optimizer": type(self.model.optimizer).__name__,
            "data": self.model.data_layout(),
            "place": document,
        }
        return Snapshot(head, arrays | inner)

    def read_along(self) -> None:
        """Read the values, as another process makes a snapshot of values that are divided among them."""
        for variable in self.variables:
            variable.numpy()

    def read(self, path: str | os.PathLike[str]) -> Restored:
        """What a file has for these variables. Nothing changes.

        Raises:
            FormatError, FileNotFoundError: see :func:`load_checkpoint`.
        """
        return self.fitted(*_read(path))

    def fitted(self, arrays: dict[str, np.ndarray], head: Mapping[str, Any]) -> Restored:
        """The content of a file for these variables. Nothing changes.

        Raises:
            FormatError: it is of another model, optimizer or seed, or its bytes have changed.
        """
        if head["optimizer"] != type(self.model.optimizer).__name__:
            raise FormatError(
                f"the checkpoint was written with the optimizer {head['optimizer']}, "
                f"the model is compiled with {type(self.model.optimizer).__name__}"
            )
        inner = {key: arrays.pop(key) for key in list(arrays) if not key.startswith("v")}
        values = _values(arrays, head["variables"], self.variables)
        _check_draws(head["draws"], self._draws)
        if {key: _checksum_of(array) for key, array in inner.items()} != head["arrays"]:
            raise FormatError("the checkpoint is damaged: an array has another checksum")
        return Restored(head["epochs"], head["shuffle_seed"], joined(head["place"], inner), values)

    def assign(self, values: Sequence[np.ndarray]) -> None:
        """Give the variables the values of a checkpoint."""
        assign_all(self.variables, values)


class Restored(NamedTuple):
    """A checkpoint as it was read.

    Attributes:
        epochs: how many epochs were trained to their end.
        shuffle_seed: the seed of the shuffles.
        place: where in a ``fit`` it was made, None between two trainings.
        values: of the variables of a :class:`State`.
    """

    epochs: int
    shuffle_seed: int
    place: Any
    values: list[np.ndarray]


def save_checkpoint(model: Any, path: str | os.PathLike[str]) -> None:
    """Write the state of a compiled model and its training to a file, whole or not at all.

    Args:
        model: a compiled model, between two epochs (in ``on_epoch_end`` or after ``fit``).
        path: the file; by convention ``.safetensors``.

    Raises:
        RuntimeError: the model is not compiled.
        OSError: the file cannot be written; an old one is untouched.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, layers, saving
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("adam", "mse")
    >>> history = model.fit(np.ones((4, 3)), np.ones(4), epochs=2, verbose=0)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "state.safetensors")
    >>> saving.save_checkpoint(model, path)
    >>> saving.load_checkpoint(model, path)  # epochs that were done
    2
    """
    write_atomically(path, State(model).snapshot(model.epochs_seen).content())


def load_checkpoint(model: Any, path: str | os.PathLike[str]) -> int:
    """Bring a model and its training to the state in a file. All is checked before anything changes.

    Names of variables must be those of the model; the numbers of automatic names ("dense_3") may differ as long as
    their order does not.

    Args:
        model: a compiled model, built by the code that built the saved one.
        path: the file.

    Returns:
        The number of epochs trained so far: ``model.fit(..., initial_epoch=that)`` goes on.

    Raises:
        FormatError: no checkpoint, one whose bytes have changed, or one of another model, optimizer or seed.
        FileNotFoundError: no file.
        RuntimeError: the model is not compiled.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, layers, saving
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("adam", "mse")
    >>> history = model.fit(np.ones((4, 3)), np.ones(4), epochs=2, verbose=0)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "state.safetensors")
    >>> model.save_checkpoint(path)
    >>> saving.load_checkpoint(model, path)
    2
    """
    found = _read(path)
    _make_step(model, found[1])
    state = State(model)
    restored = state.fitted(*found)
    state.assign(restored.values)
    model.resume(restored.epochs, restored.shuffle_seed)
    return restored.epochs


# ------------------------------------------------------------------------------------- the state of a model


def _make_step(model: Any, head: Mapping[str, Any]) -> None:
    """Make the step of training of a model that defines it, for data as it had, where it has none yet."""
    data = head.get("data")
    if data is not None and model.data_layout() is None:
        try:
            model.expect_data(data)
        except ValueError as error:
            raise FormatError(f"the checkpoint was written by a model with other data: {error}") from None


def _graph(model: Any) -> Graph:
    return model.training_graph()


def _draws(graphs: Sequence[Graph]) -> list[list[Any]]:
    """Op, key and op id of each random draw of the training."""
    nodes = {id(n): n for graph in graphs for n in graph.nodes()}.values()
    found = [(n.op.name, str(n.attrs["key"]), n.attrs["op_id"]) for n in nodes if draws_op(n)]
    return [list(draw) for draw in dict.fromkeys(found)]


def _described(variable: Variable) -> dict[str, Any]:
    return {"name": variable.name, "shape": list(variable.shape), "dtype": variable.dtype}


def _checksum_of(array: np.ndarray) -> str:
    return checksum(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


# ------------------------------------------------------------------------------------- reading


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with archive.mapped(path) as content:
            arrays, metadata = tensors.arrays_in(content, "safetensors")
    except FileNotFoundError:
        raise
    except (FormatError, OSError) as error:
        raise FormatError(f"{os.fspath(path)} is no checkpoint: {error}") from None
    return arrays, _head(metadata, os.fspath(path))


def _head(metadata: Mapping[str, str], path: str) -> dict[str, Any]:
    try:
        text = metadata[_META].encode()
        head = parsed(text, _META)
    except (KeyError, ValueError):
        raise FormatError(f"{path} is no checkpoint of kbackend: its head is missing or damaged") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FormatError(f"{path} is no checkpoint of kbackend")
    if head.get("version") != VERSION:
        raise FormatError(f"{path} is a checkpoint of version {head.get('version')!r}, known is {VERSION}")
    if metadata.get(_CHECKSUM) != checksum(text):
        raise FormatError(f"{path} is damaged: its head does not have the checksum that was written with it")
    kinds = {"variables": list, "draws": list, "epochs": int, "shuffle_seed": (int, type(None)), "optimizer": str,
             "place": (dict, type(None)), "arrays": dict}
    for key, kind in kinds.items():
        if key not in head or not isinstance(head[key], kind) or isinstance(head[key], bool):  # type: ignore[arg-type]
            raise FormatError(f"the checkpoint's head has no right {key!r}")
    if not 0 <= head["epochs"] < 1 << 32 or not 0 <= (head["shuffle_seed"] or 0) < 1 << 64:
        raise FormatError("the checkpoint's counts are out of range")
    return head


def _check_draws(saved: Sequence[Any], own: Sequence[Any]) -> None:
    if list(saved) == list(own):
        return
    keys = [sorted({str(d[1]) for d in draws if isinstance(d, list) and len(d) == 3}) for draws in (saved, own)]
    if keys[0] != keys[1]:
        raise FormatError(
            f"the model was built under another seed: the checkpoint's draws have the seeds {keys[0]}, the model's "
            f"{keys[1]}; call kbackend.set_seed with the former before you build the model"
        )
    raise FormatError(
        f"the checkpoint has {len(saved)} random draws, the model {len(own)}, or they are others: it was built by "
        "other code, or after other draws since the seed was set"
    )


def _values(arrays: Mapping[str, np.ndarray], described: Sequence[Any], state: Sequence[Variable]) -> list[np.ndarray]:
    if len(described) != len(state) or set(arrays) != {f"v{i}" for i in range(len(state))}:
        raise FormatError(
            f"the checkpoint has {len(arrays)} arrays, the model's training {len(state)} variables; first apart: "
            f"{_first_apart(described, state)}"
        )
    found = []
    names = _comparable([str(d.get("name")) if isinstance(d, dict) else "?" for d in described])
    own = _comparable([v.name for v in state])
    for i, (wanted, variable) in enumerate(zip(described, state)):
        if names[i] != own[i]:
            raise FormatError(
                f"the checkpoint is of another model: where the model has {variable.name} {list(variable.shape)}, it "
                f"has {wanted['name']} {wanted.get('shape')}"
                if isinstance(wanted, dict) and "name" in wanted else f"the checkpoint does not describe array {i}"
            )
        array = arrays[f"v{i}"]
        if _checksum_of(array) != wanted.get("sha256"):
            raise FormatError(f"the checkpoint is damaged: the value of {wanted['name']} has another checksum")
        have = {"shape": list(array.shape), "dtype": dtypes.canonical(array.dtype)}
        need = {"shape": list(variable.shape), "dtype": variable.dtype}
        if have != need:
            raise FormatError(f"{variable.name} is {need} in the model and {have} in the checkpoint")
        found.append(array)
    return found


def _comparable(names: Sequence[str]) -> list[str]:
    """Names with the numbers of automatic ones counted from the first of their kind: "dense_7" becomes "dense#1"."""
    counts: dict[str, dict[str, int]] = {}

    def renamed(part: str) -> str:
        stem, _, number = part.rpartition("_")
        if not stem or not number.isdigit():
            return part
        known = counts.setdefault(stem, {})
        return f"{stem}#{known.setdefault(number, len(known) + 1)}"

    return ["/".join(map(renamed, name.split("/"))) for name in names]


def _first_apart(described: Sequence[Any], state: Sequence[Variable]) -> str:
    theirs = [f"{d.get('name')} {d.get('shape')}" if isinstance(d, dict) else "?" for d in described]
    ours = [f"{v.name} {list(v.shape)}" for v in state]
    pairs = zip_longest(theirs, ours, fillvalue="nothing")
    return next((f"{a} in the checkpoint, {b} in the model" for a, b in pairs if a != b), "none")
