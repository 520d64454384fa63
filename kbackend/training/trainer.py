"""Training: compile, fit, evaluate, predict. The train step is one graph, the same for all engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kbackend import optimizers
from kbackend.callbacks.base import Callback, CallbackList, Logs
from kbackend.callbacks.history import History
from kbackend.callbacks.progress import ProgbarLogger
from kbackend.ops.core.updates import as_updates
from kbackend.plugin import select
from kbackend.runtime.function import Function, checked_jit
from kbackend.streams import SHUFFLE_OP_ID, get_seed, permutation
from kbackend.training import data
from kbackend.training.measured import Measured
from kbackend.training.objective import Objective, Spec

_FOLD = 512


class _Means:
    """Means over an epoch of the values of its steps; fetched from the engine only when somebody looks."""

    def __init__(self, objective: Objective, number: Callable[[Any], float]) -> None:
        self.names = objective.names
        self._own_mass = [i for i, m in enumerate(objective.masses) if m is not None]
        self._number = number
        self._sums = [0.0] * len(self.names)
        self._masses = [0.0] * len(self.names)
        self._pending: list[tuple[int, Sequence[Any]]] = []

    def add(self, size: int, outputs: Sequence[Any]) -> None:
        self._pending.append((size, outputs))
        if len(self._pending) >= _FOLD:
            self._fold()

    def _fold(self) -> None:
        count = len(self.names)
        for size, outputs in self._pending:
            values = [self._number(t) for t in outputs]
            masses = [float(size)] * count
            for place, mass in zip(self._own_mass, values[count:]):
                masses[place] = mass
            for place, mass in enumerate(masses):
                if mass > 0:
                    self._sums[place] += values[place] * mass
                    self._masses[place] += mass
        self._pending.clear()

    def fetch(self) -> list[float]:
        self._fold()
        return [total / (mass or 1.0) for total, mass in zip(self._sums, self._masses)]

    def logs(self) -> Logs:
        return Logs(self.names, self.fetch)


class Trainer(Measured):
    """The training methods of models. A model supplies inputs, outputs, their names, weights, losses and updates."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    input_names: Sequence[str]
    output_names: Sequence[str]
    trainable_weights: Sequence[Any]
    weights: Sequence[Any]
    losses: Sequence[Any]
    updates: Sequence[Any]
    state_updates: Sequence[Any]
    name: str

    optimizer: Any = None
    stop_training = False
    _spec: Spec | None = None
    _compile_arguments: tuple[Any, ...] = ()
    _target: Any = None
    _epochs_seen = 0
    _shuffle_seed: int | None = None
    _functions: dict[Any, Any]
    _trained: list[Any]

    # engines ------------------------------------------------------------------------------------------------

    def to(self, backend: str, device: str | None = None) -> Any:
        """Move the model, with weights and optimizer state, to an engine; it runs there from now on.

        Args:
            backend: 'numpy', 'torch', 'tensorflow' or another installed backend.
            device: "cpu", "cuda", "cuda:1"; the backend's first choice when None.

        Returns:
            The model.
        """
        target = select.target(backend, device)
        for variable in self._all_variables():
            variable.cell(target)
        self._target = target
        return self

    def _all_variables(self) -> list[Any]:
        held = list(self.weights)
        return held + (self.optimizer.variables() if self.optimizer is not None else [])

    def _where(self) -> Any:
        if self._target is not None:
            return self._target
        active = select.active_target()
        return self._fastest(active) if select.models_choose() else active

    @property
    def engine(self) -> str:
        """The engine and device that the model's next step uses, such as 'torch:cpu'."""
        return self._where().key

    # compile ------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        jit: Any = None,
    ) -> None:
        """Choose what training minimises and how.

        Args:
            optimizer: a name or an :class:`kbackend.optimizers.Optimizer`.
            loss: a name, a function ``(y_true, y_pred)``, or a list or dict of these by output.
            metrics: a list of names or functions, or a list of lists or dict by output.
            loss_weights: numbers or K.variables (which stay live) by output.
            weighted_metrics: metrics to which sample weights apply.
            jit: None or False: the engine's plain mode; True: torch.compile or XLA (NumPy has no compiler and takes no
                notice); "auto": the faster of the two on the first batch, measured once and remembered on disk.

        Raises:
            ValueError: unknown names, another jit, or lists that do not fit the outputs.
        """
        chosen = optimizers.get(optimizer)
        self._compile_arguments = (loss, metrics, loss_weights, weighted_metrics)
        self._spec = None
        if getattr(self, "outputs", None):
            self._collect()
        self.optimizer = chosen
        self._jit = checked_jit(jit)
        self._functions = {}
        self._modes = {}

    def _compiled(self) -> Spec:
        if self.optimizer is None:
            raise RuntimeError(
                f"the model {self.name} is not compiled; call model.compile(optimizer, loss) first"
            )
        if self._spec is None:
            self._collect()
        assert self._spec is not None
        return self._spec

    def _collect(self) -> None:
        """Fix losses and the weights to train; as in Keras, ``trainable`` changed later takes another compile."""
        self._spec = Spec(self, *self._compile_arguments)
        self._trained = list(self.trainable_weights)

    def _cache(self) -> dict[Any, Any]:
        if "_functions" not in self.__dict__:
            self._functions = {}
        return self._functions

    def _ensure_built(self, x: Any) -> None:
        """A hook for models that learn their input shape from data."""

    # functions ----------------------------------------------------------------------------------------------

    def _objective(self, weighted: bool) -> Objective:
        key = ("objective", weighted)
        if key not in self._cache():
            self._cache()[key] = Objective(self, self._compiled(), weighted)
        return self._cache()[key]

    def _step_function(self, kind: str, weighted: bool) -> Function:
        """The 'train' or 'test' function: inputs, targets and weights in; values and masses out."""
        key = (kind, weighted)
        if key in self._cache():
            return self._cache()[key]
        objective = self._objective(weighted)
        feeds = [*self.inputs, *objective.targets, *objective.weights]
        outputs = objective.values + [m for m in objective.masses if m is not None]
        updates = as_updates(self.state_updates)
        if kind == "train":
            updates = self.optimizer.get_updates(objective.total, self._trained)
            updates = as_updates([*updates, *self.updates])
        made = Function(
            feeds, outputs, updates, f"{self.name}_{kind}_step", self._jit_of(kind), phase=int(kind == "train")
        )
        self._cache()[key] = made
        return made

    def _predict_function(self) -> Function:
        if "predict" not in self._cache():
            kept, name = as_updates(self.state_updates), f"{self.name}_predict"
            made = Function(self.inputs, list(self.outputs), kept, name, self._jit_of("predict"))
            self._cache()["predict"] = made
        return self._cache()["predict"]

    def programs_made(self, kind: str) -> int:
        """How many programs were made for the 'train', 'test' or 'predict' step: one for each engine and device."""
        if kind == "predict":
            return len(self._predict_function().programs)
        return sum(len(f.programs) for key, f in self._cache().items() if key[0] == kind)

    # checkpoints --------------------------------------------------------------------------------------------

    def save_checkpoint(self, path: Any) -> None:
        """Write weights, optimizer state, random counters and epochs to a file; see
        :func:`kbackend.saving.save_checkpoint`."""
        from kbackend.saving import save_checkpoint

        save_checkpoint(self, path)

    def load_checkpoint(self, path: Any) -> int:
        """Go back to a file's state and return its number of epochs; see
        :func:`kbackend.saving.load_checkpoint`."""
        from kbackend.saving import load_checkpoint

        return load_checkpoint(self, path)

    def training_graph(self) -> Any:
        """The graph of the train step without sample weights."""
        return self._step_function("train", False).graph

    @property
    def epochs_seen(self) -> int:
        """How many epochs the model has been trained; the shuffle of an epoch depends on it."""
        return self._epochs_seen

    @property
    def shuffle_seed(self) -> int:
        """The seed of the shuffles: the process' seed, or the one of the checkpoint that training goes on from."""
        return get_seed() if self._shuffle_seed is None else self._shuffle_seed

    def resume(self, epochs: int, shuffle_seed: int) -> None:
        """Go on after some epochs, with shuffles of a seed."""
        self._epochs_seen, self._shuffle_seed = epochs, shuffle_seed

    # data ---------------------------------------------------------------------------------------------------

    def _arrays(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any
    ) -> tuple[list[Any], list[Any], list[Any]]:
        spec = self._compiled()
        inputs = data.standardize(x, self.inputs, self.input_names, "input")
        names = [n for n, loss in zip(spec.names, spec.losses) if loss is not None]
        if y is None and names:
            raise data.DataError(f"the targets are missing; the model has the outputs {names}")
        targets = data.standardize(y, self._objective(False).targets, names, "target") if names else []
        weights: list[Any] = []
        if sample_weight is not None or class_weight is not None:
            placeholders = self._objective(True).weights
            if sample_weight is None:
                weights = [np.ones(len(t), np.float32) for t in targets]
            else:
                weights = data.standardize(sample_weight, placeholders, names, "sample weight")
            if class_weight is not None:
                weights = [data.class_weighted(t, class_weight, w) for t, w in zip(targets, weights)]
        if targets and len(inputs[0]) != len(targets[0]) or weights and len(weights[0]) != len(targets[0]):
            raise data.DataError(
                f"inputs have {len(inputs[0])} samples, targets {len(targets[0])}"
                + (f", sample weights {len(weights[0])}" if weights else "")
            )
        return inputs, targets, weights

    # fit ----------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_freq: int = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x, y: arrays, lists or dicts of arrays (by input or output name), data frames.
            batch_size: samples a step, 32 when None.
            epochs: the epoch to stop at.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            callbacks: :class:`kbackend.callbacks.Callback` objects.
            validation_split: the last part of the data is held out, taken before any shuffle.
            validation_data: (x, y) or (x, y, sample_weight), evaluated after each epoch.
            shuffle: draw a new order each epoch, the same on every engine for one seed.
            class_weight: label -> weight.
            sample_weight: a weight for each sample.
            initial_epoch: the epoch to start at.
            validation_freq: epochs from one validation to the next.

        Returns:
            A History with ``.history``.

        Raises:
            ValueError: the data does not fit; nothing has changed then.
            RuntimeError: the model is not compiled.
        """
        self._ensure_built(x)
        size = data.checked_size(batch_size)
        inputs, targets, weights = self._arrays(x, y, sample_weight, class_weight)
        groups: list[Any] = [inputs, targets, weights]
        held_out: Any = None
        if validation_data is not None:
            held_out = self._arrays(*_validation(validation_data), None)
        elif validation_split:
            groups, held_out = data.split(groups, validation_split)
        self._settle("train", groups[0], groups[1], size)
        batches = data.Batches([a for group in groups for a in group], size)
        return self._train(
            batches,
            bool(groups[2]),
            held_out,
            epochs,
            initial_epoch,
            verbose,
            callbacks or (),
            shuffle,
            validation_freq,
        )

    def _train(
        self,
        batches: data.Batches,
        weighted: bool,
        held_out: Any,
        epochs: int,
        initial_epoch: int,
        verbose: int,
        callbacks: Sequence[Callback],
        shuffle: bool,
        validation_freq: int,
    ) -> History:
        target = self._where()
        objective = self._objective(weighted)
        program = self._step_function("train", weighted).program(target, 1, shapes=batches.shapes)
        history = History()
        shown = [ProgbarLogger(verbose)] if verbose else []
        params = {
            "epochs": epochs,
            "steps": len(batches),
            "samples": batches.samples,
            "verbose": verbose,
            "metrics": list(objective.names),
            "engine": target.key,
            "rng": program.rng,
        }
        listeners = CallbackList([history, *callbacks, *shown], self, params)
        self.stop_training = False
        self.history = history
        listeners.call("train_begin", None)
        for epoch in range(initial_epoch, epochs):
            listeners.call("epoch_begin", epoch, None)
            means = _Means(objective, target.backend.number)
            self._epoch(program, target, self._ordered(batches, shuffle), means, listeners)
            logs = dict(means.logs())
            if held_out is not None and (epoch + 1 - initial_epoch) % validation_freq == 0:
                logs |= {f"val_{n}": v for n, v in self._test(held_out, batches.batch_size).items()}
            listeners.call("epoch_end", epoch, logs)
            if self.stop_training:
                break
        listeners.call("train_end", None)
        return history

    def _ordered(self, batches: data.Batches, shuffle: bool) -> Iterator[tuple[int, list[np.ndarray]]]:
        self._epochs_seen += 1
        if not shuffle:
            return batches.slices()
        stream = (SHUFFLE_OP_ID << 32) | (self._epochs_seen & 0xFFFFFFFF)
        return batches.shuffled(permutation(batches.samples, self.shuffle_seed, stream))

    def _epoch(
        self, program: Any, target: Any, batches: Iterator[Any], means: _Means, listeners: CallbackList
    ) -> None:
        feed, begins, ends = target.feed, listeners.has("train_batch_begin"), listeners.has("train_batch_end")
        for index, (size, arrays) in enumerate(batches):
            if begins:
                listeners.call("train_batch_begin", index, None)
            outputs = program([feed(a) for a in arrays])
            means.add(size, outputs)
            if ends:
                listeners.call("train_batch_end", index, means.logs())
            if self.stop_training:
                break

    # evaluate and predict -----------------------------------------------------------------------------------

    def _test(self, groups: Any, batch_size: int) -> dict[str, float]:
        weighted = bool(groups[2])
        target = self._where()
        program = self._step_function("test", weighted).program(target, 0)
        means = _Means(self._objective(weighted), target.backend.number)
        for size, arrays in data.Batches([a for group in groups for a in group], batch_size).slices():
            means.add(size, program([target.feed(a) for a in arrays]))
        return dict(means.logs())

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 0,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, in test phase.

        Returns:
            The loss, or the list [loss, metrics...], or a dict by name.
        """
        self._ensure_built(x)
        logs = self._test(self._arrays(x, y, sample_weight, None), data.checked_size(batch_size))
        if verbose:
            print("  ".join(f"{n}: {v:.4f}" for n, v in logs.items()))
        return logs if return_dict else _scalar_or_list(list(logs.values()))

    def predict(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """The outputs for data, in test phase: an array, or a list of arrays for several outputs."""
        self._ensure_built(x)
        arrays = data.standardize(x, self.inputs, self.input_names, "input")
        self._settle("predict", arrays, [], data.checked_size(batch_size))
        target = self._where()
        program = self._predict_function().program(target, 0)
        to_numpy = target.backend.to_numpy
        rows = [
            [to_numpy(t) for t in program([target.feed(a) for a in chosen])]
            for _, chosen in data.Batches(arrays, data.checked_size(batch_size)).slices()
        ]
        if not rows:
            raise data.DataError("predict needs at least one sample")
        joined = [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*rows)]
        return joined[0] if len(joined) == 1 else joined

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in test phase."""
        self._ensure_built(x)
        function = self._predict_function()
        values = x if isinstance(x, (list, tuple)) and len(self.inputs) > 1 else [x]
        if isinstance(x, dict):
            values = data.standardize(x, self.inputs, self.input_names, "input")
        if self._jit == "auto":
            self._settle("predict", data.standardize(x, self.inputs, self.input_names, "input"), [], len(values[0]))
        target = self._where()
        outputs = function.run(values, target, 0)
        found = [target.backend.to_numpy(t) for t in outputs]
        return found[0] if len(found) == 1 else found

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """One step; returns the loss, or [loss, metrics...], computed before the update."""
        self._ensure_built(x)
        return self._one_step("train", self._arrays(x, y, sample_weight, class_weight))

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Loss and metrics of one batch in test phase."""
        self._ensure_built(x)
        return self._one_step("test", self._arrays(x, y, sample_weight, None))

    def _one_step(self, kind: str, groups: Any) -> Any:
        weighted = bool(groups[2])
        if kind == "train":
            self._settle("train", groups[0], groups[1], len(groups[0][0]))
        target = self._where()
        program = self._step_function(kind, weighted).program(target, int(kind == "train"))
        outputs = program([target.feed(a) for group in groups for a in group])
        count = len(self._objective(weighted).names)
        return _scalar_or_list([target.backend.number(t) for t in outputs[:count]])

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that fit, evaluate and train_on_batch give."""
        return list(self._objective(False).names)


def _validation(given: Any) -> tuple[Any, Any, Any]:
    if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
        raise data.DataError("validation_data must be (x, y) or (x, y, sample_weight)")
    return (*given, None) if len(given) == 2 else tuple(given)


def _scalar_or_list(values: list[float]) -> Any:
    return values[0] if len(values) == 1 else values
