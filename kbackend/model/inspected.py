"""What a model shows of itself, and trials that leave it as it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from kbackend.callbacks.base import Callback, on_trial
from kbackend.callbacks.history import History
from kbackend.callbacks.progbar import say
from kbackend.callbacks.range_test import RangeTest, RateSearch
from kbackend.graph.walk import Graph
from kbackend.lowering.measure import untouched
from kbackend.model.compiled import CompiledNetwork
from kbackend.model.diagram import Shown, diagram_of
from kbackend.model.summary import print_summary, summary_text
from kbackend.training import data, measured
from kbackend.training.arrays import Groups, inputs_of
from kbackend.training.profiling import Profile
from kbackend.training.shuffles import Shuffles
from kbackend.training.tuning import Tuned

#: layers and operations of the largest model that notebooks draw
_MOST_DRAWN = 150
_BATCH_SIZE = 32
#: the part of its first value to which the loss must fall for data to count as learned
_LEARNED = 0.1


class InspectedNetwork(CompiledNetwork):
    """The part of a model that shows and measures."""

    _shuffles: Shuffles
    history: History
    stop_training: bool
    fit: Any
    save_checkpoint: Any
    load_checkpoint: Any
    _ensure_built: Any
    _groups: Any

    # showing ------------------------------------------------------------------------------------------------

    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Any = None) -> None:
        """Print the layers with their shapes and numbers of parameters.

        Args:
            line_length: the width of the table.
            positions: accepted for Keras's sake; columns find their own widths.
            print_fn: called with each line instead of printing.
        """
        print_summary(self, line_length, positions, print_fn)

    def source(self, kind: str = "predict") -> str:
        """The program that runs for a step on the model's engine, as Python.

        Args:
            kind: 'predict', or 'train' for the step of training without sample weights.

        Raises:
            ValueError: another kind.
            RuntimeError: the model is not compiled, for 'train'.

        >>> from kbackend import Input, K, Model
        >>> x = Input((2,), name="x")
        >>> "tanh" in Model(x, K.tanh(x)).source()
        True
        """
        if kind not in ("predict", "train"):
            raise ValueError(f"kind must be 'predict' or 'train', it is {kind!r}")
        function = self._steps.predict() if kind == "predict" else self._steps.train().function
        return function.program(self._steps.target(), int(kind == "train")).source

    def _repr_html_(self) -> str:
        text = f"<pre>{escape(summary_text(self) if self.built else repr(self))}</pre>"
        if self.built and len(self._topology.units) > _MOST_DRAWN:
            return text
        from kbackend.drawing.boxes import picture

        return text + picture(diagram_of(self, Shown(shapes=True))).svg()

    # measuring ----------------------------------------------------------------------------------------------

    def tune(
        self,
        x: Any,
        y: Any = None,
        *,
        engines: Any = None,
        batch_size: int | None = None,
        rounds: int = 7,
        verbose: int = 1,
    ) -> Tuned:
        """Time a step with and without the engine's compiler, and on several engines; use and remember the faster way.

        Steps of all candidates take turns on the first batch. Weights, optimizer state and random streams are the same
        to the bit afterwards. Each engine's faster mode is remembered on disk for this graph, number of samples (to a
        power of two), engine version and machine (``KBACKEND_CACHE`` names the folder), and used by this model and by
        later ones compiled with ``jit="auto"``. With several engines, the fastest is remembered too, for
        ``KBACKEND=auto:fastest``; the model stays on its engine (``model.to(...)`` moves it).

        Args:
            x, y: arrays as for ``fit``; without ``y`` only predictions are timed.
            engines: names of engines; "all" for all that are installed; None for the model's own.
            batch_size: samples a batch, 32 when None; the first batch is used.
            rounds: how often each candidate takes its turn.
            verbose: 1 prints the table.

        Returns:
            A :class:`kbackend.training.tuning.Tuned`: ``candidates``, ``best()``; its text is the table.

        Raises:
            ValueError: the data does not fit, or an engine is unknown.
        """
        self._ensure_built(x)
        size = data.checked_size(batch_size)
        tuned = measured.tune(self._steps, self._measured_on(x, y), engines, size, rounds)
        if verbose:
            print(tuned)
        return tuned

    def profile(
        self, x: Any, y: Any = None, *, batch_size: int | None = None, rounds: int = 20, verbose: int = 1
    ) -> Profile:
        """Time each node of a step: of training where ``y`` is given, else of prediction.

        The program runs with the clock read after each node (and, on an accelerator, a wait for it, so that nodes do
        not overlap as they do otherwise). The gradient is one row. TensorFlow's programs are traced as a whole: their
        nodes are run one by one as eager calls, which cost more than in the graph, and gradients and updates are the
        difference between the step and its outputs alone. The model is the same to the bit afterwards.

        Args:
            x, y: arrays as for ``fit``; the first batch is used.
            batch_size: samples a batch, 32 when None.
            rounds: how often the step runs.
            verbose: 1 prints the table.

        Returns:
            A :class:`kbackend.training.profiling.Profile`: ``rows``, ``step``; its text is the table.
        """
        self._ensure_built(x)
        size = data.checked_size(batch_size)
        found = measured.profile(self._steps, self._measured_on(x, y), size, rounds)
        if verbose:
            print(found)
        return found

    def _measured_on(self, x: Any, y: Any) -> Groups:
        return Groups(inputs_of(self._steps, x), [], []) if y is None else self._groups(x, y)

    # trials -------------------------------------------------------------------------------------------------

    @contextmanager
    def _kept(self, x: Any) -> Iterator[None]:
        """A context in which the model may be trained, and after which it is the same to the bit."""
        self._ensure_built(x)
        graph: Graph = self._steps.graph("train")
        shuffles, marks = self._shuffles, {n: vars(self).get(n) for n in ("history", "stop_training", "initial_epoch")}
        self._shuffles = copy.copy(shuffles)
        try:
            with untouched([*self._steps.variables(), *graph.variables()]):
                yield
        finally:
            self._shuffles = shuffles
            for name, value in marks.items():
                if value is None:
                    vars(self).pop(name, None)
                else:
                    setattr(self, name, value)

    def _tried(
        self, x: Any, y: Any, batch_size: int | None, callbacks: Sequence[Callback] | None, **given: Any
    ) -> History:
        """What ``fit(..., dry_run=True)`` does."""
        told = list(callbacks or ())
        states = [(callback, dict(vars(callback))) for callback in told]
        size = _BATCH_SIZE if batch_size is None and _is_arrays(x) else batch_size
        one = {"epochs": 1, "verbose": 0, "steps_per_epoch": 1}
        if given.get("validation_data") is not None or given.get("validation_split"):
            one["validation_steps"] = 1
        try:
            with self._kept(x), on_trial() as folder:
                history = self.fit(x, y, batch_size=size, callbacks=told, **one, **given)
                self.save_checkpoint(folder / "trial.safetensors")
                self.load_checkpoint(folder / "trial.safetensors")
        finally:
            for callback, state in states:
                vars(callback).clear()
                vars(callback).update(state)
        return history

    def find_lr(
        self,
        x: Any,
        y: Any = None,
        *,
        min_lr: float = 1e-6,
        max_lr: float = 1.0,
        steps: int = 100,
        batch_size: int | None = None,
        smoothing: float = 0.9,
        verbose: int = 1,
    ) -> RateSearch:
        """Smith's range test: train with a rate that grows from step to step, and see where the loss falls.

        It ends early where the loss is four times its least value. The model is the same to the bit afterwards.

        Args:
            x, y: data as for ``fit``; it is repeated as often as the steps need.
            min_lr, max_lr: the first and the last rate.
            steps: from the one to the other.
            batch_size: as for ``fit``.
            smoothing: the weight of the past in the average of the loss.
            verbose: 1 prints the suggestion.

        Returns:
            A :class:`kbackend.callbacks.range_test.RateSearch`: ``rates``, ``losses``, ``suggestion``, ``plot()``.

        Raises:
            ValueError: rates that do not rise, or data that does not fit.
            TypeError: a schedule gives the rate.

        Source: Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017.
        """
        test = RangeTest(min_lr, max_lr, steps, smoothing)
        with self._kept(x):
            self.fit(x, y, batch_size=batch_size, epochs=steps, verbose=0, callbacks=[test])
        if verbose:
            say(str(test.found))
        return test.found

    def overfit(
        self,
        x: Any,
        y: Any = None,
        *,
        batches: int = 1,
        batch_size: int | None = None,
        epochs: int = 200,
        verbose: int = 1,
    ) -> History:
        """Train on a few batches again and again: a model that cannot learn these by heart will not learn more.

        The model is the same to the bit afterwards.

        Args:
            x, y: data as for ``fit``; the first batches are used.
            batches: how many.
            batch_size: as for ``fit``.
            epochs: how often.
            verbose: 1 prints the first and the last loss, and whether the last is less than a tenth of the first.

        Returns:
            The History of this training.

        Raises:
            ValueError: data that does not fit, or less batches.
        """
        with self._kept(x):
            size = _BATCH_SIZE if batch_size is None and _is_arrays(x) else batch_size
            options = {"batch_size": size, "epochs": epochs, "steps_per_epoch": batches}
            history = self.fit(x, y, verbose=0, shuffle=False, **options)
        first, last = history.history["loss"][0], history.history["loss"][-1]
        if verbose:
            by_heart = abs(last) < _LEARNED * abs(first)
            verdict = "learned by heart" if by_heart else "not learned by heart (more epochs, another rate, or a fault)"
            plural = "" if batches == 1 else "es"
            say(f"{batches} batch{plural}, {epochs} epochs: loss {first:.4g} -> {last:.4g}, {verdict}")
        return history


def _is_arrays(x: Any) -> bool:
    return isinstance(x, (list, tuple, dict)) or hasattr(x, "shape")
