"""What a model tells of its steps: their speed, and where engines differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kbackend.ground.arguments import checked
from kbackend.model.compiled import CompiledNetwork
from kbackend.model.learning import unbuilt_if_refused
from kbackend.training import data
from kbackend.training.arrays import Groups, groups_of, inputs_of

if TYPE_CHECKING:
    from kbackend.divergence.report import Report
    from kbackend.training.measuring.profiling import Profile
    from kbackend.training.measuring.tuning import Tuned


class MeasuredNetwork(CompiledNetwork):
    """The part of a model that measures its steps."""

    @checked
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
            A :class:`kbackend.training.measuring.tuning.Tuned`: ``candidates``, ``best()``; its text is the table.

        Raises:
            ValueError: the data does not fit, or an engine is unknown.
        """
        groups, size = self._measured_on(x, y), data.batch_size(batch_size)
        from kbackend.training.measuring import of_model

        tuned = of_model.tune(self._steps, groups, engines, size, rounds)
        if verbose:
            print(tuned)
        return tuned

    @checked
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
            A :class:`kbackend.training.measuring.profiling.Profile`: ``rows``, ``step``; its text is the table.
        """
        groups, size = self._measured_on(x, y), data.batch_size(batch_size)
        from kbackend.training.measuring import of_model

        found = of_model.profile(self._steps, groups, size, rounds)
        if verbose:
            print(found)
        return found

    def diff(
        self, x: Any, y: Any = None, *, engines: Any = None, batch_size: int | None = None, train: int = 0
    ) -> Report:
        """Run a step on several engines and name the nodes where they differ: values, gradients and updates.

        Every node gets the same operands on all engines; NumPy in float64 says which engine is off. With ``y`` it is
        the step of training, else that of prediction. The model is the same to the bit afterwards.

        Args:
            x, y: arrays as for ``fit``; the first batch is used.
            engines: as for :func:`kbackend.diff`: 'torch,tensorflow', ['torch', 'torch+jit'], None for all that are
                installed.
            batch_size: samples a batch, 32 when None.
            train: for so many steps of training the difference of the weights too: ``report.steps``.

        Returns:
            A :class:`kbackend.divergence.report.Report`: ``ok``, ``first``, ``worst``, ``rows``, ``to_json()``,
            ``to_html(path)``; its text is a table.

        Raises:
            ValueError: fewer than two engines, or ``train`` without ``y``.

        >>> import numpy as np
        >>> from kbackend import Sequential, layers
        >>> model = Sequential([layers.Dense(3, input_shape=(4,))])
        >>> model.diff(np.ones((2, 4)), engines="numpy,numpy+float16").ok
        True
        """
        groups = self._measured_on(x, y)
        from kbackend.training.measuring import diverging  # late: a process that predicts need not import it

        return diverging.diff(self._steps, groups, engines, data.batch_size(batch_size), train)

    def _measured_on(self, x: Any, y: Any) -> Groups:
        with unbuilt_if_refused(self):
            self._ensure_built(x)
            return Groups(inputs_of(self._steps, x), [], []) if y is None else groups_of(self._steps, x, y)
