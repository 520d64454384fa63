"""The methods of models that measure: which way they run fastest, and where their time goes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from kbackend.plugin import select
from kbackend.training import data, tuning
from kbackend.training.profiling import Profile, profile


class Measured:
    """What a model gains by measuring. A trainer supplies inputs, functions and where it runs."""

    inputs: Sequence[Any]
    input_names: Sequence[str]
    name: str

    _where: Callable[[], Any]
    _cache: Callable[[], dict[Any, Any]]
    _ensure_built: Callable[[Any], None]
    _arrays: Callable[[Any, Any, Any, Any], tuple[list[Any], list[Any], list[Any]]]
    _jit: Any = None
    _modes: dict[tuple[str, str], bool]
    _chosen: Any

    def _fastest(self, otherwise: Any) -> Any:
        """The target that ``tune`` found to be the fastest for this model, looked up once."""
        if "_chosen" not in self.__dict__:
            self._chosen = otherwise  # what follows asks where the model runs
            key = tuning.fastest_engine(self)
            if key is None:
                warnings.warn(
                    f"KBACKEND=auto:fastest: nothing is remembered of {self.name} on this machine; it runs on "
                    f"{otherwise.key}. model.tune(x, y, engines='all') measures the engines",
                    stacklevel=3,
                )
            else:
                self._chosen = select.target(*key.partition(":")[::2])
        return self._chosen

    def _jit_of(self, kind: str) -> Any:
        """Whether functions of a kind are compiled; those of ``jit="auto"`` learn it when they make a program."""
        if self._jit != "auto":
            return self._jit
        known = "train" if kind == "train" else "predict"
        return lambda target: self._modes.get((known, target.key), False)

    def _settle(self, kind: str, inputs: list[Any], targets: list[Any], size: int) -> None:
        """With ``jit="auto"``, find out before the first program of a kind whether it is to be compiled."""
        target = self._where()
        if self._jit != "auto" or (kind, target.key) in self._modes or not len(inputs[0]):
            return
        found = tuning.mode(self, kind, target, size)
        if found is None and target.backend.compiler:
            tuned = tuning.tune(self, inputs, targets if kind == "train" else [], [target.backend.name], size, 5)
            tuning.keep(self, tuned, kind == "train")
            found = any(kind in c.milliseconds for c in tuned.candidates) and tuned.best(kind).jit
        self._modes[kind, target.key] = bool(found)

    def tune(
        self,
        x: Any,
        y: Any = None,
        *,
        engines: Any = None,
        batch_size: int | None = None,
        rounds: int = 7,
        verbose: int = 1,
    ) -> tuning.Tuned:
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
        inputs, targets = self._arrays_of(x, y)
        names = tuning.names_of(engines, self._where().backend.name)
        tuned = tuning.tune(self, inputs, targets, names, data.checked_size(batch_size), rounds)
        tuning.keep(self, tuned, bool(targets))
        self._jit = "auto"
        self._modes = dict(getattr(self, "_modes", {}))
        for candidate in tuned.candidates:
            for kind in candidate.milliseconds:
                self._modes[kind, candidate.engine] = tuned.best(kind, candidate.engine).jit
        for key in [k for k in self._cache() if k == "predict" or k[0] in ("train", "test")]:
            del self._cache()[key]
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
        inputs, targets = self._arrays_of(x, y)
        size = data.checked_size(batch_size)
        found = profile(self, [a[:size] for a in inputs], [a[:size] for a in targets], rounds)
        if verbose:
            print(found)
        return found

    def _arrays_of(self, x: Any, y: Any) -> tuple[list[Any], list[Any]]:
        if y is None:
            return data.standardize(x, self.inputs, self.input_names, "input"), []
        return self._arrays(x, y, None, None)[:2]
