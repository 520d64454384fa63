"""What a model shows of itself, and trials that leave it as it was."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kbackend.callbacks.base import Callback, on_trial
from kbackend.callbacks.history import History
from kbackend.callbacks.progbar import say
from kbackend.ground.arguments import checked
from kbackend.lowering.measure import untouched
from kbackend.model.inspecting.measured import MeasuredNetwork
from kbackend.model.inspecting.summary import print_summary, summary_text
from kbackend.model.learning import unbuilt_if_refused
from kbackend.training.compiled import warn_of_flags
from kbackend.training.sources.opening import Given
from kbackend.training.sources.sequence import PyDataset
from kbackend.training.sources.shuffles import Shuffles
from kbackend.training.sources.stream import Asked
from kbackend.training.steps import PLAIN

if TYPE_CHECKING:
    from kbackend.callbacks.range_test import RateSearch

#: layers and operations of the largest model that notebooks draw
_MOST_DRAWN = 150
_BATCH_SIZE = 32
#: the part of its first value to which the loss must fall for data to count as learned
_LEARNED = 0.1


class InspectedNetwork(MeasuredNetwork):
    """The part of a model that shows itself and is tried."""

    _shuffles: Shuffles
    history: History
    stop_training: bool
    _plain_config: Any
    fit: Any
    save: Any
    save_checkpoint: Any
    load_checkpoint: Any

    # showing ------------------------------------------------------------------------------------------------

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
        from html import escape

        text = f"<pre>{escape(summary_text(self) if self.built else repr(self))}</pre>"
        if self.built and len(self._topology.units) > _MOST_DRAWN:
            return text
        from kbackend.drawing.boxes import picture
        from kbackend.model.inspecting.diagram import Shown, diagram_of

        return text + picture(diagram_of(self, Shown(shapes=True))).svg()

    @checked
    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Any = None) -> None:
        """Print the layers and the operations between them, with their shapes and numbers of parameters.

        Args:
            line_length: the width of the table.
            positions: accepted for Keras's sake; columns find their own widths.
            print_fn: called with each line instead of printing.
        """
        print_summary(self, line_length, positions, print_fn)
        warn_of_flags(self._steps.settings)

    # trials -------------------------------------------------------------------------------------------------

    @contextmanager
    def _kept(self, x: Any, y: Any = None) -> Iterator[None]:
        """A context in which the model may be trained, and after which it is the same to the bit.

        Args:
            x, y: the data, for the steps of a model that defines them.
        """
        with unbuilt_if_refused(self):
            form = PLAIN
            if self.own_fit:
                with closing(Given(self._steps, self._ensure_built, x, y).source(Asked("x", "steps", 1))) as batches:
                    form = batches.sample.form
            self._ensure_built(x)
            graph = self._steps.graph("train", form)
            with self._marks_kept(), untouched([*self._steps.variables(), *graph.variables()]):
                yield

    @contextmanager
    def _marks_kept(self) -> Iterator[None]:
        shuffles, marks = self._shuffles, {n: vars(self).get(n) for n in ("history", "stop_training", "initial_epoch")}
        self._shuffles = copy.copy(shuffles)
        try:
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
            with self._kept(x, y), on_trial() as folder:
                history = self.fit(x, y, batch_size=size, callbacks=told, **one, **given)
                if not self.has_own_call or type(self).get_config is not self._plain_config:
                    self.save(folder / "trial.kb")
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
        from kbackend.callbacks.range_test import RangeTest

        test = RangeTest(min_lr, max_lr, steps, smoothing)
        with self._kept(x, y):
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
        with self._kept(x, y):
            if _is_arrays(x):
                options = {"batch_size": batch_size or _BATCH_SIZE, "steps_per_epoch": batches}
                history = self.fit(x, y, epochs=epochs, verbose=0, shuffle=False, **options)
            else:
                history = self.fit(_Few(x, batches), epochs=epochs, verbose=0, shuffle=False)
        first, last = history.history["loss"][0], history.history["loss"][-1]
        if verbose:
            by_heart = abs(last) < _LEARNED * abs(first)
            verdict = "learned by heart" if by_heart else "not learned by heart (more epochs, another rate, or a fault)"
            plural = "" if batches == 1 else "es"
            say(f"{batches} batch{plural}, {epochs} epochs: loss {first:.4g} -> {last:.4g}, {verdict}")
        return history


class _Few(PyDataset):
    """The first batches of other data, the same ones in each epoch."""

    def __init__(self, given: Any, count: int) -> None:
        super().__init__()
        indexed = hasattr(given, "__getitem__") and hasattr(given, "__len__")
        self._batches = [given[i] for i in range(count)] if indexed else list(itertools.islice(given, count))
        if len(self._batches) < count:
            raise ValueError(f"overfit: the data has {len(self._batches)} batches, not {count}")

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Any:
        return self._batches[index]


def _is_arrays(x: Any) -> bool:
    return isinstance(x, (list, tuple, dict)) or hasattr(x, "shape")
