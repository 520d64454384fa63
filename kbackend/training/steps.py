"""The train, test and predict steps of a model as functions, made at their first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from kbackend.distribution.divided import Divisible, in_pieces
from kbackend.distribution.partition import Partition
from kbackend.distribution.pieces import Pieces
from kbackend.distribution.team import Team
from kbackend.graph.walk import Graph
from kbackend.ground.collector import collector_at_rest
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.structures import distinct
from kbackend.metrics.base import reset_all
from kbackend.ops.core.updates import as_updates
from kbackend.optimizers import Optimizer
from kbackend.plugin.modes import rng_of
from kbackend.plugin.processes.group import DistributedError
from kbackend.runtime.function import Function
from kbackend.training.compiled import Compiled, Settings, Specs, trainable_as
from kbackend.training.joined import Apart, Joined, Value, outputs_of
from kbackend.training.means import Means
from kbackend.training.objective import Objective
from kbackend.training.own.containers import Containers
from kbackend.training.own.layout import Layout
from kbackend.training.own.step import CustomStep, prediction
from kbackend.training.placement import JitChoice, Placement
from kbackend.training.protocol import Trainable


class Form(NamedTuple):
    """What the steps of training and tests depend on in the data: whether there are sample weights, and what the
    targets look like where that is not as compile expected, or the layout of the data of a step of one's own."""

    weighted: bool = False
    specs: Specs | Layout | None = None


PLAIN = Form()
_UNKNOWN: Any = object()


class Step:
    """A function of inputs, targets and sample weights that returns named values and updates the states of metrics.

    Attributes:
        names: of the values and of the results of metrics, 'loss' first.
        phase: 1 for training, 0 for tests.
        function: the function.
    """

    __slots__ = ("names", "phase", "function", "states", "_values", "_own_mass", "_totals", "_places", "_reading",
                 "_divided", "_apart")

    def __init__(
        self,
        inputs: Sequence[Any],
        objective: Objective,
        updates: Sequence[Any],
        name: str,
        jit: Any,
        phase: int,
        divided: Divided | None = None,
    ) -> None:
        self.names = objective.names
        totals = objective.totals if divided is None else {}
        means = [(value, None) for value in objective.values]
        found = [totals.get(place, mean) for place, mean in enumerate(means)]
        self._values = [Value(tensor, mass, count) for (tensor, count), mass in zip(found, objective.masses)]
        self._own_mass = frozenset(place for place, value in enumerate(self._values) if value.mass is not None)
        self._totals = {place: v.numbers for place, v in enumerate(self._values) if v.numbers is not None}
        self.phase = phase
        self._divided, self._apart = divided is not None, _UNKNOWN
        feeds = [*inputs, *objective.targets, *objective.weights]
        if divided is not None:
            graph = divided.graph(feeds, objective, updates, name)
            self.function = Function(graph.inputs, graph.outputs, graph.updates, name, jit, phase)
        else:
            updates = [*updates, *objective.updates]
            self.function = Function(feeds, outputs_of(self._values), updates, name, jit, phase)
        self.states = objective.states
        self._places = list(objective.results)
        self._reading = Function([], list(objective.results.values()), (), f"{name}_results")

    def reset(self) -> None:
        """Make the states of the metrics zero."""
        if self.states:
            reset_all(self.states)

    def joined(self, target: Any, shapes: Any, copied: bool) -> Joined | None:
        """The program of the step that takes the metrics of several batches at once; None where it has no such metrics,
        or the engine compiles it, and the few ops of metrics with it.

        Args:
            shapes: of the arrays of every batch, None where they may differ.
            copied: whether the memory of what is fed may change after a step.
        """
        jit = self.function.jit(target) if callable(self.function.jit) else self.function.jit
        if jit or self._divided:
            return None
        if self._apart is _UNKNOWN:
            self._apart = Apart.of(self.function, self.states, self._values, self.phase)
        return None if self._apart is None else Joined(self._apart, target, self.phase, shapes, copied)

    @property
    def programs(self) -> list[Any]:
        """The cached programs of the step, one for each engine and device."""
        apart = None if self._apart is _UNKNOWN else self._apart
        return [*self.function.programs.values(), *(() if apart is None else apart.step.programs.values())]

    def means(self, target: Any, joined: Joined | None = None) -> Means:
        """Means over steps on a target, none so far, and the results of the metrics as they are when they are read.

        Args:
            joined: the program of the steps, where it takes metrics of several batches at once.
        """

        def results() -> dict[int, Any]:
            if joined is not None:
                joined.flush()
            return self._results(target)

        number, count = target.backend.number, len(self._values)
        return Means(self.names, self._own_mass, number, results, count, self._totals, joined)

    def _results(self, target: Any) -> dict[int, Any]:
        if not self._places:
            return {}
        found = [target.backend.to_numpy(t) for t in self._reading.program(target, 0)([])]
        return {place: x.item() if x.ndim == 0 else x for place, x in zip(self._places, found)}


def not_compiled(name: str) -> RuntimeError:
    """The error for a model without ``compile``."""
    return RuntimeError(f"the model {name} is not compiled; call model.compile(optimizer, loss) first")


class Divided(NamedTuple):
    """What the step of one of several processes is made with.

    Attributes:
        partition: makes it.
        moved: updates of layers, which may depend on the samples of the part.
        variables: those that may be divided among the processes.
    """

    partition: Partition
    moved: Sequence[Any]
    variables: Divisible

    def graph(self, feeds: Sequence[Any], objective: Objective, updates: Sequence[Any], name: str) -> Graph:
        """The graph of the step; ``updates`` are those of the optimizer."""
        partition = self.partition
        values, masses, more = partition.summed(
            objective.values, objective.masses, objective.updates, objective.of_numbers, self.moved, feeds
        )
        outputs = [*values, *(mass for mass in masses if mass is not None)]
        whole = Graph([*feeds, *partition.feeds], outputs, [*updates, *more], name)
        return partition.rewritten(whole, self.variables)


class Steps:
    """The steps of a model for one ``compile``. Another compile, and a change of the model, take new ones.

    Args:
        model: the model.
        settings: the arguments of compile, None before it.
        placement: where the steps run; it outlives a compile.

    Attributes:
        jit: whether steps are compiled by the engine.
    """

    def __init__(
        self, model: Trainable, settings: Settings | None = None, placement: Placement | None = None
    ) -> None:
        self.model = model
        self.settings = settings
        self.placement = placement or Placement()
        self.jit = JitChoice(None if settings is None else settings.jit)
        self._compiled: Compiled | None = None
        self._made: dict[tuple[Any, ...], Any] = {}
        self._running: dict[Step, Means] = {}
        self._lock = threading.RLock()

    def compiled_with(self, settings: Settings) -> Steps:
        """Steps of the same model for a compile. A model that is built is checked against it now, a model that is not
        yet, at the first use.

        Raises:
            ValueError: the settings do not fit the model; these steps are as before.
        """
        made = Steps(self.model, settings, self.placement)
        if self.model.built and not self.own_fit:
            made._compiled = Compiled.of(self.model, settings)
        if self.jit.setting == made.jit.setting != "auto" and ("predict",) in self._made:
            made._made["predict",] = self._made["predict",]
        return made

    def of_changed_model(self) -> Steps:
        """Steps for the same settings, made anew when they are used."""
        return Steps(self.model, self.settings, self.placement)

    def forget_training(self) -> None:
        """Make the steps of training anew when they are used: the model has other updates."""
        with self._lock:
            for key in [k for k in self._made if k[0] == "train"]:
                del self._made[key]

    # what compile fixed -------------------------------------------------------------------------------------

    @property
    def optimizer(self) -> Any:
        """The optimizer, None before compile."""
        return None if self.settings is None else self.settings.optimizer

    @property
    def compiled(self) -> Compiled:
        """What compile fixed.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: the settings do not fit the model, which was not built when it was compiled.
        """
        if self._compiled is None:
            if self.settings is None:
                raise not_compiled(self.model.name)
            with self._lock:
                self._compiled = self._compiled or Compiled.of(self.model, self.settings)
        return self._compiled

    # the model's own ----------------------------------------------------------------------------------------

    @property
    def own_fit(self) -> bool:
        """Whether the model defines its steps of training and tests."""
        return self.model.own_fit

    @cached_property
    def containers(self) -> Containers:
        """The losses and metrics of compile for a step that the model defines.

        Raises:
            RuntimeError: the model is not compiled.
        """
        if self.settings is None:
            raise not_compiled(self.model.name)
        return Containers(self.model, self.settings)

    @property
    def optimizers(self) -> list[Any]:
        """The optimizer of compile and those in attributes of the model."""
        first = [] if self.optimizer is None else [self.optimizer]
        return distinct([*first, *(v for v in tree_leaves(dict(vars(self.model))) if isinstance(v, Optimizer))])

    @property
    def trained(self) -> Sequence[Any]:
        """The weights that training changes."""
        return Inside(self.model).trained_weights if self.own_fit else self.compiled.trained

    def _own(self, kind: str, form: Form) -> CustomStep:
        if self.settings is None:
            raise not_compiled(self.model.name)
        if not isinstance(form.specs, Layout):
            raise RuntimeError(
                f"the {kind} step of {type(self.model).__name__} is traced with its first batch: call fit or "
                f"train_on_batch first"
            )
        with trainable_as(self.settings.trainable):
            return CustomStep(self.model, kind, form.specs, self.jit.of(kind))

    def last_form(self, kind: str) -> Form | None:
        """The form of the step of a kind that was made last, None where there is none."""
        return next((key[1] for key in reversed(list(self._made)) if key[0] == kind and len(key) > 1), None)

    def training_variables(self) -> list[Any]:
        """The variables of the optimizers, and all that the last step of training which the model defines reads or
        changes."""
        held = [v for optimizer in self.optimizers for v in optimizer.variables()]
        step = self.last("train") if self.own_fit else None
        return distinct([*held, *(step.function.graph.variables() if step is not None else ())])

    def last(self, kind: str) -> Any:
        """The step of a kind that was made last, None where there is none."""
        form = self.last_form(kind)
        return None if form is None else self._made[kind, form]

    # steps --------------------------------------------------------------------------------------------------

    def train(self, form: Form = PLAIN) -> Step:
        """The step of training."""
        if self.own_fit:
            form = self.last_form("train") or form if form == PLAIN else form
            return self._kept(("train", form), lambda: self._own("train", form))
        if self.compiled.always_weighted:
            form = form._replace(weighted=True)
        return self._kept(("train", form), lambda: self._step("train", form))

    def test(self, form: Form = PLAIN) -> Step:
        """The step of evaluation."""
        if self.own_fit:
            return self._kept(("test", form), lambda: self._own("test", form))
        return self._kept(("test", form), lambda: self._step("test", form))

    def for_training(self, form: Form = PLAIN) -> Step:
        """The step of training that runs: in several processes that of this one."""
        team = self.team()
        if team is not None:
            return self._of_process("train", form, team)
        return self._made.get(("train", form)) or self.train(form)

    def for_tests(self, form: Form = PLAIN) -> Step:
        """The step of evaluation that runs."""
        team = self.team()
        if team is not None:
            return self._of_process("test", form, team)
        return self._made.get(("test", form)) or self.test(form)

    def _of_process(self, kind: str, form: Form, team: Team) -> Step:
        self._check_divisible(team)
        if self.compiled.always_weighted:
            form = form._replace(weighted=True)
        return self._kept((kind, form, team), lambda: self._divided(kind, form, team))

    def _check_divisible(self, team: Team) -> None:
        model = self.model
        if self.jit.setting is True and not team.compiles:
            compiler = self.target().backend.compiler
            raise DistributedError(
                f"{model.name}: {compiler} takes no step of several processes; compile without jit=True"
            )
        if self.jit.setting is True and team.pieces is not None:
            raise DistributedError(f"{model.name}: steps of divided weights are not compiled; compile without jit=True")
        if self.own_fit:
            raise DistributedError(f"{model.name} defines its steps itself, which cannot be divided among processes")
        if model.stateful:
            raise DistributedError(f"{model.name} is stateful: its states belong to the samples of whole batches")
        given = [term.target for term in self.compiled.plain.terms if term.is_held]
        fixed = [t.name for t in (*model.inputs, *given) if t.ndim and t.shape[0] is not None]
        if fixed:
            raise DistributedError(f"{model.name}: the batch size of {fixed[0]} is fixed, a process has a part of it")
        if rng_of(self.target().backend) == "native":
            raise DistributedError('draws of the engine itself have no places in a batch: kbackend.set_rng("portable")')

    def _divided(self, kind: str, form: Form, team: Team) -> Step:
        """The step of this process."""
        model, compiled, phase = self.model, self.compiled, int(kind == "train")
        assert not isinstance(form.specs, Layout)
        synchronized = any(getattr(layer, "synchronized", False) for layer in Inside(model).layers)
        partition = Partition(model.name, team.sync_batch_norm or synchronized, team.overlaps, team.pieces)
        updates: Sequence[Any] = ()
        with partition.building():
            objective = compiled.of_part(form.weighted, form.specs)
            if phase:
                loss = partition.contribution(objective.total)
                updates = as_updates(compiled.optimizer.get_updates(loss, list(compiled.trained)))
                partition.check_gradients(compiled.optimizer)
            moved = as_updates(compiled.updates if phase else model.state_updates)
        name = f"{model.name}_{kind}_step"
        jit = False if self.jit.setting == "auto" else self.jit.setting
        divided = Divided(partition, moved, self._divisible())
        return Step(model.fed_inputs, objective, updates, name, jit, phase, divided)

    def _divisible(self) -> Divisible:
        states = [v for optimizer in self.optimizers for v in optimizer.variables()]
        return Divisible(Inside(self.model).weights, states)

    def predict(self, form: Form = PLAIN) -> Function:
        """The function from inputs to outputs."""
        return self._predict(form)[0]

    def packed(self, values: Sequence[Any], form: Form = PLAIN) -> Any:
        """Values of :meth:`predict` as the model returns them."""
        return self._predict(form)[1](values)

    def _predict(self, form: Form) -> tuple[Function, Callable[[Sequence[Any]], Any]]:
        if not self.model.own_predict:
            team = self.team()
            if team is not None and team.pieces is not None:
                return self._kept(("predict", team), lambda: (self._prediction(team.pieces), self.model._packed))
            return self._kept(("predict",), lambda: (self._prediction(), self.model._packed))
        specs = form.specs
        if not isinstance(specs, Layout):
            raise RuntimeError(f"the predict step of {type(self.model).__name__} is traced with its first batch")
        return self._kept(("predict", form), lambda: prediction(self.model, specs, self.jit.of("predict")))

    def _kept(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        found = self._made.get(key)
        if found is None:
            with self._lock:
                found = self._made.get(key)
                if found is None:
                    with collector_at_rest():
                        found = self._made[key] = make()
        return found

    def _step(self, kind: str, form: Form) -> Step:
        compiled = self.compiled
        assert not isinstance(form.specs, Layout)
        objective, phase = compiled.objective(form.weighted, form.specs), int(kind == "train")
        if kind == "train":
            updates = compiled.optimizer.get_updates(objective.total, list(compiled.trained))
            updates = as_updates([*updates, *compiled.updates])
        else:
            updates = as_updates(self.model.state_updates)
        name = f"{self.model.name}_{kind}_step"
        return Step(self.model.fed_inputs, objective, updates, name, self.jit.of(kind), phase)

    def _prediction(self, pieces: Pieces | None = None) -> Function:
        model = self.model
        updates, name = as_updates(model.state_updates), f"{model.name}_predict"
        graph = Graph(model.fed_inputs, model.outputs, updates, name)
        if pieces is not None:
            graph = in_pieces(graph, (), Divisible(Inside(model).weights), pieces)
        return Function(graph.inputs, graph.outputs, graph.updates, name, self.jit.of("predict"))

    def graph(self, kind: str, form: Form = PLAIN) -> Graph:
        """The graph of the 'train' step, or of 'predict'."""
        return self.train(form).function.graph if kind == "train" else self.predict(form).graph

    def running(self, step: Step) -> Means:
        """Means over the batches of a step since the last :meth:`reset_metrics`, for steps one by one."""
        if step not in self._running:
            step.reset()
            self._running[step] = step.means(self.target())
        return self._running[step]

    def reset_metrics(self) -> None:
        """Forget the batches seen so far."""
        self._running.clear()
        reset_all(self.model.metrics if self.own_fit else self.compiled.plain.states)

    def programs_made(self, kind: str) -> int:
        """How many programs were made for the 'train', 'test' or 'predict' step: one for each engine and device."""
        found = [made for key, made in self._made.items() if key[0] == kind]
        return sum(len((made[0] if isinstance(made, tuple) else made).programs) for made in found)

    def use_jit(self, jit: JitChoice) -> None:
        """Make the steps anew when they are used, compiled by the engine or not as ``jit`` says."""
        with self._lock:
            self.jit = jit
            self._made.clear()

    # where they run -----------------------------------------------------------------------------------------

    def target(self) -> Any:
        """The engine and device of the next step."""
        return self.placement.target(self)

    def team(self) -> Team | None:
        """The processes in which the next step runs; None where there is one."""
        return self.placement.team(self)

    def move(self, target: Any) -> None:
        """Run on a target from now on, with weights and the state of the optimizer."""
        for variable in self.variables():
            variable.cell(target)
        self.placement.fixed = target

    def variables(self) -> list[Any]:
        """The weights, the variables of the optimizer and the states of the metrics."""
        held = [v for optimizer in self.optimizers for v in optimizer.variables()]
        states: list[Any] = [] if self._compiled is None else list(self._compiled.plain.states)
        if self.own_fit and self.settings is not None:
            states = list(self.model.metrics)
        found = [*Inside(self.model).weights, *held, *(v for state in states for v in state.variables)]
        return distinct(found)
