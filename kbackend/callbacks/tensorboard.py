"""Training as TensorBoard shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback, destination
from kbackend.callbacks.event_files import EventFile
from kbackend.callbacks.rates import rate_of
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import checked, keywords_of, unknown_keywords
from kbackend.ground.warn import warn_caller

#: arguments of Keras 2 that do nothing here
_OLD = ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
_VALIDATION = "val_"


class TensorBoard(Callback):
    """Writes files for TensorBoard: ``tensorboard --logdir logs`` shows them. Needs the package ``tensorboard``.

    Training is written to the folder 'train', held-out data to 'validation', with the tags that Keras gives:
    'epoch_loss' and so on by epoch, 'batch_loss' by batch, 'evaluation_loss_vs_iterations' by step.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of all weights; 0 for none.
        write_graph: whether the graph of layers and operations is written.
        write_images: whether weights are written as pictures together with their histograms.
        write_steps_per_second: whether the speed is written.
        update_freq: 'epoch', 'batch', or the number of batches between two values of batches.
        profile_batch: must be 0.
        embeddings_freq: epochs between two files with the weights of embeddings, for the projector; 0 for none.
        embeddings_metadata: a file with a label for each row, or a dict of these by the names of layers.
        **old: arguments of Keras 2 that have no effect any more; a value for one gives a warning.

    Raises:
        ImportError: the package is not installed.
        NotImplementedError: ``profile_batch`` is not 0; ``model.profile`` times the nodes of a step.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> folder = tempfile.mkdtemp()
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[callbacks.TensorBoard(folder)])
    >>> any(p.name.startswith("events") for p in pathlib.Path(folder).rglob("*"))
    True
    """

    in_all_processes = False
    kept = ("_batches",)

    @checked
    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        **old: Any,
    ) -> None:
        super().__init__()
        unknown = set(old) - set(_OLD)
        if unknown:
            raise unknown_keywords("TensorBoard", unknown, keywords_of(TensorBoard))
        if any(value for value in old.values()):
            warn_caller(f"TensorBoard takes no notice of {', '.join(sorted(old))}", DeprecationWarning)
        if profile_batch:
            raise NotImplementedError("profile_batch needs TensorFlow's profiler; model.profile(x, y) times each node")
        self.log_dir, self.histogram_freq = os.fspath(log_dir), histogram_freq
        self.write_graph, self.write_images = write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq, self.embeddings_metadata = embeddings_freq, embeddings_metadata
        self._files: dict[str, EventFile] = {}
        self._batches = 0

    @property
    def reads_weights(self) -> bool:  # type: ignore[override]
        """Whether it writes histograms or embeddings."""
        return bool(self.histogram_freq or self.embeddings_freq)

    # events -------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        self._training = True
        if self.write_graph:
            self._file("train").graph(_nodes(self.model))

    def on_train_end(self, logs: Any = None) -> None:
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_started, self._epoch_batches = time.perf_counter(), 0
        self._mark = (self._epoch_started, self._batches)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        self._epoch_batches += 1
        if self.update_freq == "epoch" or self._batches % self.update_freq:
            return
        so_far = getattr(logs, "so_far", logs or {})
        values = {f"batch_{name}": v for name, v in _numbers(so_far).items() if name not in ("batch", "size")}
        if self.write_steps_per_second:
            now = time.perf_counter()
            values["batch_steps_per_second"] = (self._batches - self._mark[1]) / max(now - self._mark[0], 1e-9)
            self._mark = (now, self._batches)
        self._file("train").scalars(values, self._iterations())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        numbers = _numbers(logs or {})
        train = {f"epoch_{n}": v for n, v in numbers.items() if not n.startswith(_VALIDATION)}
        held_out = {f"epoch_{n.removeprefix(_VALIDATION)}": v for n, v in numbers.items() if n.startswith(_VALIDATION)}
        train |= self._rates()
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_started
            train["epoch_steps_per_second"] = self._epoch_batches / max(seconds, 1e-9)
        self._file("train").scalars(train, epoch)
        if held_out:
            self._file("validation").scalars(held_out, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._embeddings()
        for file in self._files.values():
            file.flush()

    def on_test_end(self, logs: Any = None) -> None:
        if self.model.optimizer is None:
            return
        values = {f"evaluation_{name}_vs_iterations": value for name, value in _numbers(logs or {}).items()}
        self._file("validation").scalars(values, self._iterations())
        if not getattr(self, "_training", False):
            self._close()

    # what is written ----------------------------------------------------------------------------------------

    def _folder(self, name: str) -> Path:
        return destination(self.log_dir) / name

    def _file(self, name: str) -> EventFile:
        if name not in self._files:
            self._files[name] = EventFile(self._folder(name))
        return self._files[name]

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _iterations(self) -> int:
        return int(self.model.optimizer.iterations.numpy())

    def _rates(self) -> dict[str, float]:
        optimizers = getattr(self.model.optimizer, "optimizers", None)
        if optimizers is None:
            return {"epoch_learning_rate": rate_of(self.model.optimizer)}
        return {f"epoch_learning_rate_{o.name}": rate_of(o) for o in optimizers}

    def _weights(self, epoch: int) -> None:
        values = {weight.name: weight.numpy() for weight in self.model.weights}
        file = self._file("train")
        file.histograms({f"{name}/histogram": value for name, value in values.items()}, epoch)
        if self.write_images:
            file.images({f"{name}/image": _pixels(value) for name, value in values.items() if value.size}, epoch)

    def _embeddings(self) -> None:
        """Write the rows of embeddings as text, with the file that tells the projector of them."""
        folder, entries = self._folder("train"), []
        folder.mkdir(parents=True, exist_ok=True)
        for layer in self.model.layers:
            if type(layer).__name__ != "Embedding" or not layer.weights:
                continue
            name = f"{layer.name}.tsv"
            np.savetxt(folder / name, np.asarray(layer.weights[0].numpy(), np.float64), delimiter="\t")
            labels = self.embeddings_metadata
            labels = labels.get(layer.name) if isinstance(labels, Mapping) else labels
            more = f'\n  metadata_path: "{labels}"' if labels else ""
            entries.append(f'embeddings {{\n  tensor_name: "{layer.name}"\n  tensor_path: "{name}"{more}\n}}\n')
        if not entries:
            raise ValueError(f"embeddings_freq is {self.embeddings_freq}, the model has no Embedding layers")
        (folder / "projector_config.pbtxt").write_text("".join(entries), encoding="utf-8")


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}


def _pixels(array: np.ndarray) -> np.ndarray:
    """A weight as a picture: its last axis across, all others down, from its least number to its largest."""
    numbers = np.asarray(array, np.float64).reshape(-1, array.shape[-1] if array.ndim else 1)
    numbers = np.nan_to_num(numbers)
    low, high = numbers.min(), numbers.max()
    return ((numbers - low) / (high - low or 1.0) * 255).round().astype(np.uint8)


def _nodes(model: Any) -> Iterator[tuple[str, str, list[str], dict[str, str]]]:
    """The layers' calls and the operations between them, for the page of graphs."""
    names: dict[int, str] = {}
    counts: dict[str, int] = {}

    def named(base: str) -> str:
        counts[base] = counts.get(base, 0) + 1
        return base if counts[base] == 1 else f"{base}_{counts[base] - 1}"

    for tensor, name in zip(model.inputs, model.input_names):
        names[id(tensor)] = named(name)
        yield names[id(tensor)], "Input", [], {"shape": str(tensor.shape)}
    for unit, sources, made in model.steps_between():
        known = [names[id(t)] for t in sources if id(t) in names]
        layer = getattr(unit, "layer", None)
        name = named(unit.name if layer is None else layer.name)
        for tensor in made:
            names[id(tensor)] = name
        kind = unit.op.name if layer is None else type(layer).__name__
        shapes = ", ".join(str(t.shape) for t in made if isinstance(t, Tensor))
        yield name, kind, list(dict.fromkeys(known)), {"shape": shapes}
