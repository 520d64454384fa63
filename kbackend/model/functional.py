"""Models: networks that are trained, evaluated and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.history import History
from kbackend.callbacks.listeners import CallbackList, checked_callbacks
from kbackend.ground.arguments import checked
from kbackend.layers.base.inside import last_revision
from kbackend.layers.base.naming import unique_name
from kbackend.layers.base.structures import as_list, one_or_list
from kbackend.model.configuration import model_config
from kbackend.model.distributed import Distributed
from kbackend.model.files import HasFiles
from kbackend.model.generators import GeneratorMethods
from kbackend.model.inspecting.inspected import InspectedNetwork
from kbackend.model.learning import unbuilt_if_refused
from kbackend.model.modules import HasModules
from kbackend.model.network import Network
from kbackend.model.predicting import check_joinable, is_one_batch, predict_one_batch
from kbackend.model.replay import Replay
from kbackend.model.subclassing.stepped import OWN_STEPS
from kbackend.model.topology import Topology
from kbackend.plugin import select
from kbackend.registry import custom_object_scope
from kbackend.streams import Owner, given_streams
from kbackend.training import data, loop, measuring
from kbackend.training.arrays import Groups, groups_of, inputs_of, prediction_groups
from kbackend.training.compiled import Settings, warn_of_flags
from kbackend.training.sources.base import Reading, Source
from kbackend.training.sources.opening import Given, HeldOut, training_sources
from kbackend.training.sources.shuffles import Shuffles
from kbackend.training.sources.stream import Asked
from kbackend.training.steps import Steps
from kbackend.training.validation import Validation
from kbackend.training.validation import due as validation_due


class Model(HasFiles, Distributed, HasModules, GeneratorMethods, InspectedNetwork):
    """A graph of layers and ops from inputs to outputs, which can be trained, called and nested.

    Args:
        inputs: a tensor or a list of tensors, made by ``Input``; any other tensor of a graph will do as
            well, and then stands for values given from outside.
        outputs: a tensor or a list of tensors computed from the inputs, by layers or by any ops.
        name: the name; model_1 and so on when None.
        trainable: whether training changes the weights.
        dtype: for a model that defines ``call``, the dtype or policy of its inputs and own weights; layers have theirs.

    Attributes:
        inputs, outputs: lists of tensors.
        input_names, output_names: names for data and losses.
        layers: in order of traversal, from the inputs to the outputs.

    Raises:
        ValueError: an output depends on an input that is not listed; two layers have one name.
        TypeError: an input or output is not a symbolic tensor.

    >>> from kbackend import Input, Model, layers
    >>> x = Input((4,))
    >>> h = layers.Dense(3, activation="relu")(x)
    >>> model = Model(x, layers.Dense(1)(h) * 2)
    >>> model.output_shape
    (None, 1)
    """

    #: whether ``fit`` is to end; callbacks set it
    stop_training = False

    @checked
    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        alone = inputs is None and outputs is None and (self.own_fit or self.own_predict)
        self.has_no_call = alone and not self.has_own_call
        if self.has_own_call:
            self._prepare_own(inputs, outputs, name, trainable, dtype)
            self.built = self.has_no_call
            return
        if dtype is not None:
            raise TypeError("dtype is for models that define call; give it to the layers, or call K.set_floatx")
        if inputs is None or outputs is None:
            raise TypeError(
                f"{type(self).__name__} needs inputs and outputs, Model(inputs, outputs), or a method call(self, x) "
                "or train_step(self, data)"
            )
        self._prepare(name, "model", trainable)
        self._single_input = not isinstance(inputs, (list, tuple))
        self._single_output = not isinstance(outputs, (list, tuple))
        self._found = Topology(as_list(inputs), as_list(outputs), self.name)
        self.built = True

    def _prepare(self, name: str | None, stem: str, trainable: bool) -> None:
        """Make a model that has no inputs, outputs and programs yet; without a name, one of the stem and a number."""
        super().__init__(name or unique_name(stem), trainable)
        self._owner = Owner(name, stem)
        self._steps = Steps(self)
        self._shuffles = Shuffles()

    @property
    def _steps(self) -> Steps:
        """The steps of the model as it is now."""
        if self._found is not None and self._revised != last_revision():
            self._renew(self._found)
        return self._known_steps

    @_steps.setter
    def _steps(self, steps: Steps) -> None:
        self._known_steps = steps

    def _follow(self, again: Replay) -> None:
        self._known_steps = self._known_steps.of_changed_model()

    # where it runs ------------------------------------------------------------------------------------------

    def to(self, backend: str, device: str | None = None) -> Any:
        """Move the model, with weights and optimizer state, to an engine; it runs there from now on.

        Args:
            backend: 'numpy', 'torch', 'tensorflow' or another installed backend.
            device: "cpu", "cuda", "cuda:1"; the backend's first choice when None.

        Returns:
            The model.
        """
        self._steps.move(select.target(backend, device))
        return self

    @property
    def engine(self) -> str:
        """The engine and device that the model's next step uses, such as 'torch:cpu'."""
        return self._steps.target().key

    # compile ------------------------------------------------------------------------------------------------

    @checked
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        jit: Any = None,
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose what training minimises and how.

        Args:
            optimizer: a name or an :class:`kbackend.optimizers.Optimizer`.
            loss: a name, a function ``(y_true, y_pred)``, a :class:`kbackend.losses.Loss`, or a list or dict of these
                by output.
            metrics: a list of names, functions ``(y_true, y_pred)`` or :class:`kbackend.metrics.Metric` objects, or a
                list of lists or dict by output.
            loss_weights: numbers or K.variables (which stay live) by output.
            sample_weight_mode: "temporal" where each step of a sample has a sample weight, (batch, steps); one for all
                outputs, or a list or dict by output.
            weighted_metrics: metrics to which sample weights apply.
            target_tensors: by output the placeholder to which the targets are fed, made when None; or the targets: a
                variable, an array, another tensor. A loss of one's own takes targets of any shape.
            jit: None or False: the engine's plain mode; True: torch.compile or XLA (NumPy has no compiler and takes no
                notice); "auto": the faster of the two on the first batch, measured once and remembered on disk.
            auto_scale_loss: whether the optimizer becomes a :class:`kbackend.optimizers.LossScaleOptimizer` where a
                layer has the policy "mixed_float16".

        Raises:
            ValueError: unknown names, another jit, or lists that do not fit the outputs.
        """
        settings = Settings.of(
            self, optimizer, loss, metrics, loss_weights, sample_weight_mode, weighted_metrics, target_tensors, jit,
            auto_scale_loss,
        )  # fmt: skip
        self._steps = self._steps.compiled_with(settings)

    # training and using -------------------------------------------------------------------------------------

    @checked
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
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        dry_run: bool = False,
        resume: Any = None,
    ) -> History:
        """Train for some epochs.

        Args:
            x, y: arrays, lists or dicts of arrays (by input or output name), data frames, sparse matrices. A dict as x
                may have the targets too. Or x alone: batches (x, y) or (x, y, sample_weight) from a generator, an
                iterable, a :class:`kbackend.utils.PyDataset`, a DataLoader, a tf.data.Dataset; a Dataset of torch.
            batch_size: samples a step, 32 when None; not for data that comes in batches.
            epochs: the epoch to stop at.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            callbacks: :class:`kbackend.callbacks.Callback` objects.
            validation_split: the last part of the data is held out, taken before any shuffle.
            validation_data: (x, y) or (x, y, sample_weight), evaluated after each epoch; or as x alone.
            shuffle: draw a new order of samples (of batches for a PyDataset) each epoch, the same on every engine for
                one seed, and "batch" an order of batches; an iterable keeps its order.
            class_weight: label -> weight, "balanced" (each class weighs samples / (classes * its samples)), or a list
                or dict of these by output.
            sample_weight: a weight for each sample, or (with ``sample_weight_mode="temporal"``) for each of its steps;
                for several outputs a list or dict, in which None and what is left out mean no weights.
            initial_epoch: the epoch to start at.
            steps_per_epoch: the number of batches of an epoch; all that there are when None. Without ``batch_size``,
                all samples of arrays make so many batches; of other data the next epoch goes on where one ended.
            validation_steps: the same for validation.
            validation_freq: validate after epochs whose numbers, from 1, it divides; or a list of such numbers.
            max_queue_size: batches that are read ahead of the steps, in a thread.
            workers: threads that make the batches of a dataset; 0 makes each batch between two steps.
            use_multiprocessing: whether the workers are processes.
            dry_run: try everything once instead: a step on the first batch, one of validation, all callbacks, whose
                files go to a folder that is removed, and saving. The model, its optimizer and the callbacks are the
                same to the bit afterwards.
            resume: a folder for checkpoints, made each epoch and each minute. The same program started again goes on at
                the step of the last one, as if it had never stopped, and trains no more where it had come to its end.
                Or a :class:`kbackend.callbacks.BackupAndRestore` with other settings.

        Returns:
            A History with ``.history``.

        Raises:
            ValueError: the data does not fit; nothing has changed then.
            RuntimeError: the model is not compiled.
        """
        listeners = checked_callbacks(callbacks)
        if dry_run:
            return self._tried(
                x, y, batch_size, listeners, validation_split=validation_split, validation_data=validation_data,
                shuffle=shuffle, class_weight=class_weight, sample_weight=sample_weight,
            )  # fmt: skip
        epochs_due = range(initial_epoch, epochs)
        reading = Reading.of(workers, use_multiprocessing, max_queue_size)
        given = Given(self._steps, self._ensure_built, x, y, sample_weight, class_weight, batch_size, reading)
        due = validation_due(validation_freq)
        held_out = HeldOut(validation_data, validation_split, validation_steps, sum(due(n + 1) for n in epochs_due))
        asked = Asked("x", "steps_per_epoch", steps_per_epoch, len(epochs_due))
        with unbuilt_if_refused(self) as taken, training_sources(given, asked, held_out) as (batches, apart):
            known = self._steps
            validation = Validation.of(known, apart, due, listeners)
            step, team = known.for_training(batches.sample.form), known.team()
            taken()
            warn_of_flags(known.settings)
            if team is None:
                measuring.settle(known, "train", batches.sample, batches.batch_size or batches.sample.samples)
            block = (batches.batch_size or 1) if shuffle == "batch" else 1
            return loop.fit(
                self, step, known.target(), batches, epochs_due,
                lambda units: self._shuffles.next(units, bool(shuffle), block),
                listeners, verbose, validation, self._end_training, resume, team,
            )  # fmt: skip

    def _end_training(self) -> None:
        """End a training: weights take their averages where an optimizer keeps some."""
        steps = self._steps
        for optimizer in steps.optimizers if steps.own_fit else [steps.optimizer]:
            optimizer.finalize_variable_values(steps.trained)

    @checked
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 0,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, in test phase.

        Args:
            x, y, batch_size, sample_weight: as for :meth:`fit`.
            verbose: 1 prints the values.
            steps: the number of batches, as ``steps_per_epoch`` of :meth:`fit`.
            callbacks: told of the ``on_test_*`` events.
            max_queue_size, workers, use_multiprocessing: see :meth:`fit`.
            return_dict: whether the values are returned by name.

        Returns:
            The loss, or the list [loss, metrics...], or a dict by name.
        """
        reading = Reading.of(workers, use_multiprocessing, max_queue_size)
        given = Given(self._steps, self._ensure_built, x, y, sample_weight, None, batch_size, reading)
        with unbuilt_if_refused(self) as taken, closing(given.source(Asked("x", "steps", steps))) as batches:
            known, told = self._steps, self._told(callbacks, batches, verbose)
            step = known.for_tests(batches.sample.form)
            taken()
            logs = loop.evaluate(step, known.target(), batches, told, known.team())
        if verbose:
            print("  ".join(f"{n}: {v:.4f}" for n, v in logs.items()))
        return logs if return_dict else one_or_list(list(logs.values()))

    @checked
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for data, in test phase: an array, or a list of arrays for several outputs.

        Args:
            x, batch_size: as for :meth:`fit`.
            verbose: taken for Keras's sake.
            steps: the number of batches, as ``steps_per_epoch`` of :meth:`fit`.
            callbacks: told of the ``on_predict_*`` events.
            max_queue_size, workers, use_multiprocessing: see :meth:`fit`.

        Raises:
            ValueError: the data does not fit, or there are several batches and an output is a single number for each.
        """
        reading = Reading.of(workers, use_multiprocessing, max_queue_size)
        if type(x) is np.ndarray and callbacks is None and steps is None and is_one_batch(self, x, batch_size):
            return predict_one_batch(self, x)
        given = Given(self._steps, self._ensure_built, x, batch_size=batch_size, reading=reading, targets=False)
        with unbuilt_if_refused(self) as taken, closing(given.source(Asked("x", "steps", steps))) as batches:
            function = self._steps.predict(batches.sample.form)
            if batches.steps != 1:
                check_joinable(self, function)
            taken()
            told, sample = self._told(callbacks, batches, verbose), batches.sample
            measuring.settle(self._steps, "predict", sample, batches.batch_size or sample.samples)
            found = loop.predict(function, self._steps.target(), batches, told)
            return self._steps.packed(found, sample.form)

    def _told(self, callbacks: Sequence[Callback] | None, batches: Source, verbose: int) -> CallbackList:
        if callbacks is None:
            return loop.NOBODY
        return CallbackList(callbacks, model=self, steps=batches.steps, samples=batches.samples, verbose=verbose)

    @checked
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in test phase."""
        with unbuilt_if_refused(self):
            self._ensure_built(x)
            steps = self._steps
            if self.own_predict:
                groups = prediction_groups(steps, x)
                function = steps.predict(groups.form)
                return steps.packed(loop.predict_once(function, steps.target(), groups.dense), groups.form)
            function = steps.predict()
            values = data.listed(x, function.inputs)
            if isinstance(x, dict) or any(map(data.is_foreign, values)):
                values = Groups(inputs_of(steps, x), [], []).dense
        if steps.jit.setting == "auto":
            measuring.settle(steps, "predict", Groups(inputs_of(steps, x), [], []), len(values[0]))
        return self._packed(loop.predict_once(function, steps.target(), values))

    @checked
    def train_on_batch(
        self,
        x: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One step.

        Args:
            x, y, sample_weight, class_weight: a batch, as for ``fit``.
            reset_metrics: whether the values are those of this batch alone; if not, they are means and metrics of all
                batches since the last reset.
            return_dict: whether the values are returned by name.

        Returns:
            The loss, or [loss, metrics...], or a dict by name, computed before the update.
        """
        with unbuilt_if_refused(self):
            self._ensure_built(x)
            steps = self._steps
            groups = groups_of(steps, x, y, sample_weight, class_weight)
            step = steps.for_training(groups.form)
        if steps.jit.setting == "auto" and steps.team() is None:
            measuring.settle(steps, "train", groups, groups.samples)
            step = steps.for_training(groups.form)
        return self._once(steps, step, groups, reset_metrics, return_dict)

    @checked
    def test_on_batch(
        self,
        x: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics of one batch in test phase; see :meth:`train_on_batch`."""
        with unbuilt_if_refused(self):
            self._ensure_built(x)
            steps = self._steps
            groups = groups_of(steps, x, y, sample_weight)
            step = steps.for_tests(groups.form)
        return self._once(steps, step, groups, reset_metrics, return_dict)

    def _once(self, steps: Steps, step: Any, groups: Groups, reset_metrics: bool, return_dict: bool) -> Any:
        means = None if reset_metrics else steps.running(step)
        arrays = groups.dense
        size = len(arrays[0]) if arrays else groups.held or 0
        logs = loop.once(step, steps.target(), arrays, size, means, steps.team())
        return logs if return_dict else one_or_list(list(logs.values()))

    # progress of training ----------------------------------------------------------------------------------

    @property
    def epochs_seen(self) -> int:
        """How many epochs the model has been trained; the shuffle of an epoch depends on it."""
        return self._shuffles.seen

    @property
    def shuffle_seed(self) -> int:
        """The seed of the shuffles: the process' seed, or the one of the checkpoint that training goes on from."""
        return self._shuffles.seed

    def resume(self, epochs: int, shuffle_seed: int) -> None:
        """Go on after some epochs, with shuffles of a seed."""
        self._shuffles.resume(epochs, shuffle_seed)

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The model's structure without weights, as plain values.

        A model that defines ``call`` defines ``get_config`` too, with the arguments of its constructor beside those
        that ``super().get_config()`` gives.

        Raises:
            NotImplementedError: it does not.
        """
        if not self.has_own_call:
            return model_config(self)
        kind = type(self)
        if kind.get_config is self._plain_config:
            what = "its steps" if self.has_no_call else "call"
            raise NotImplementedError(
                f"{kind.__name__} defines {what}, so that its structure is code; to save, copy or clone it, define "
                "get_config(self) with the arguments of its constructor, such as "
                "{**super().get_config(), 'units': self.units}, and pass **kwargs on to super().__init__; weights "
                "alone are written by save_weights and save_checkpoint"
            )
        return {"name": self.name, "trainable": self.trainable, **self._own_dtype()}

    #: what a model that is code overrides
    _plain_config = staticmethod(get_config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model of the structure that ``get_config`` gave, with fresh weights.

        Raises:
            FormatError: a class that is neither built in nor registered nor in ``custom_objects``, or anything else
                that does not fit; the message names the place.
        """
        with custom_object_scope(custom_objects):
            has_steps = any(getattr(cls, name) is not getattr(Model, name) for name in OWN_STEPS)
            if cls.call is Network.call and ("layers" in config or not has_steps):
                from kbackend.model.reading import model_from

                return model_from(cls, config)
            with given_streams({}):  # the layers that it makes have no names that a file knows
                return cls(**config)

__all__ = ["Model"]
