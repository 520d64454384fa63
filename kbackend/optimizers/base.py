"""The base of optimizers: gradients, clipping, weight decay, accumulation, averages of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.declare.call import to_numpy
from kbackend.graph.assignments import recording
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, recorder, values_of
from kbackend.ground.arguments import keywords_of, unknown_keywords
from kbackend.ground.warn import warn_caller
from kbackend.ops.collective.part import summed_gradients
from kbackend.ops.control.cond import classic_cond
from kbackend.ops.core.gradients import gradients as gradients_op
from kbackend.ops.core.updates import as_updates
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.state import State
from kbackend.runtime.function import Function
from kbackend.runtime.stateless import Stateless

Update = tuple[Variable, Any]


class Optimizer(State):
    """Base class. An optimizer of one's own defines ``update_step(gradient, variable, learning_rate)``, written with K:
    it assigns the weight and the state that ``slot(name, variable)`` gives.

    Args:
        learning_rate: a number, a variable shared with others, a schedule (:mod:`kbackend.optimizers.schedules`), or a
            function without arguments that gives a number or tensor when a step is built.
        weight_decay: weights shrink by this part times the learning rate before each step.
        clipnorm: each gradient is scaled so that its L2 norm does not exceed this.
        clipvalue: gradients are clipped to [-clipvalue, clipvalue].
        global_clipnorm: all gradients are scaled together so that their common norm does not exceed this.
        use_ema: whether an exponential moving average of the weights is kept, which they take when training ends.
        ema_momentum: of the average: ``average = momentum * average + (1 - momentum) * weight``.
        ema_overwrite_frequency: the number of steps after which the weights take the average each time; None for never.
        loss_scale_factor: the loss is multiplied and the gradients are divided by this.
        gradient_accumulation_steps: the number of steps whose mean gradient makes one change of the weights.
        decay: the rate is divided by ``1 + decay * iterations``, as in Keras 2.
        lr: Keras 2's name for ``learning_rate``.
        name: of the optimizer.

    Numbers may be variables, which stay live: another value needs no other program.

    Raises:
        TypeError: an unknown argument.
        ValueError: ``ema_momentum`` outside [0, 1], or a number that is out of its range.

    >>> from kbackend import K, optimizers
    >>> class Signs(optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         count = self.slot("count", variable)
    ...         count.assign_add(K.sign(gradient))
    ...         variable.assign_sub(learning_rate * count)
    >>> w = K.variable(3.0)
    >>> step = K.function([], [], updates=Signs(0.5).get_updates(K.square(w), [w]))
    >>> _ = step([]), step([])
    >>> float(K.get_value(w))
    1.5
    """

    #: names of the states of each weight, beside the weight itself
    slots: tuple[str, ...] = ()
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    decay: Any

    def __init__(
        self,
        learning_rate: Any = 0.01,
        *,
        weight_decay: Any = None,
        clipnorm: Any = None,
        clipvalue: Any = None,
        global_clipnorm: Any = None,
        use_ema: bool = False,
        ema_momentum: Any = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: Any = None,
        gradient_accumulation_steps: int | None = None,
        decay: Any = 0.0,
        lr: Any = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise unknown_keywords(type(self).__name__, unknown, keywords_of(type(self)))
        super().__init__(name, learning_rate if lr is None else lr)
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if loss_scale_factor is not None and not isinstance(loss_scale_factor, Variable):
            self._check("loss_scale_factor", loss_scale_factor)
        for label, value in {**limits, "weight_decay": weight_decay, "decay": decay or None}.items():
            self.__dict__[label] = None if value is None else self._variable(label, value)
        self.decay = self.__dict__["decay"] if decay or isinstance(decay, Variable) else 0.0
        if isinstance(ema_momentum, (int, float)) and not 0 <= ema_momentum <= 1:
            raise ValueError(f"ema_momentum must lie in [0, 1], it is {ema_momentum!r}")
        self.use_ema = bool(use_ema)
        self.ema_overwrite_frequency = _count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.ema_momentum = self._variable("ema_momentum", ema_momentum) if use_ema else ema_momentum
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = _count("gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self._undecayed: set[int] = set()
        self._undecayed_names: re.Pattern[str] | None = None
        self._functions: dict[Any, Function] = {}
        self._built_for: list[Variable] | None = None
        self._stateless = Stateless(self.name)

    # numbers of a step -------------------------------------------------------------------------------------

    def rate(self) -> Any:
        """The rate of this step as a tensor."""
        if not isinstance(self.decay, Variable):
            return self.learning_rate
        return self.learning_rate / (1.0 + self.decay * as_dtype(self.iterations, "float32"))

    def count(self) -> Any:
        """How many times the weights have changed, as a tensor."""
        steps = self.gradient_accumulation_steps
        return self.iterations // steps if steps else self.iterations

    def scalars(self, like: Any, *names: str) -> list[Any]:
        """Hyperparameters in the dtype of a tensor."""
        return [as_dtype(getattr(self, name), K.dtype(like)) for name in names]

    # gradients ---------------------------------------------------------------------------------------------

    def scale_loss(self, loss: Any) -> Any:
        """The loss whose gradients are taken; :meth:`unscaled` undoes it."""
        factor = self.loss_scale_factor
        return loss if factor is None else loss * as_dtype(factor, K.dtype(loss))

    def unscaled(self, gradients: Sequence[Any]) -> list[Any]:
        """Gradients of the loss from those of :meth:`scale_loss`."""
        factor = self.loss_scale_factor
        return list(gradients) if factor is None else [g / as_dtype(factor, K.dtype(g)) for g in gradients]

    def get_gradients(self, loss: Tensor, params: Sequence[Variable]) -> list[Any]:
        """The clipped gradients.

        Raises:
            ValueError: the loss does not depend on a weight; the message names it.
        """
        return self._clipped(self.unscaled(_gradients(self.scale_loss(loss), params)))

    def _clipped(self, gradients: Sequence[Any]) -> list[Any]:
        gradients = list(gradients)
        if self.global_clipnorm is not None:
            norm = _norm(gradients)
            gradients = [_scaled(g, norm, self.global_clipnorm) for g in gradients]
        if self.clipnorm is not None:
            gradients = [_scaled(g, _norm([g]), self.clipnorm) for g in gradients]
        if self.clipvalue is not None:
            gradients = [_between(g, self.clipvalue) for g in gradients]
        return gradients

    # updates -----------------------------------------------------------------------------------------------

    def get_updates(self, loss: Tensor, params: Sequence[Variable]) -> list[Update]:
        """The updates of one step: of the weights, the state and ``iterations``.

        Raises:
            ValueError: as :meth:`get_gradients`.
        """
        params = list(params)
        if not params:
            return [(self.iterations, self.iterations + 1)]
        return self._updates(_gradients(self.scale_loss(loss), params), params)

    def _updates(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """The updates of one step from gradients of the scaled loss, which variables that are overwritten with theirs
        take as they are."""
        pairs = list(zip(params, gradients))
        given = [(v, g) for v, g in pairs if v.overwrite_with_gradient]
        if not given:
            return self.updates_for(self.unscaled(gradients), params)
        others = [(v, g) for v, g in pairs if not v.overwrite_with_gradient]
        return [*self.updates_for(self.unscaled([g for _, g in others]), [v for v, _ in others]), *given]

    def updates_for(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """The updates of one step from gradients that are not clipped yet."""
        change = self._accumulated if self.gradient_accumulation_steps else self.changes
        values = dict(change(gradients, params))
        if self.use_ema:
            values |= self._averaged(params, values)
        updates = [(v, v.constraint(value) if v.constraint else value) for v, value in values.items()]
        return [(self.iterations, self.iterations + 1), *updates]

    def changes(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """The new values of weights and state for gradients that are not clipped yet."""
        gradients = self._clipped(gradients)
        if type(self).update_step is not Optimizer.update_step:
            return self._recorded(gradients, params)
        found: list[Update] = []
        for group in self._groups(params):
            chosen = [params[i] for i in group]
            new = self.step(chosen, [self._decayed(p) for p in chosen], [gradients[i] for i in group])
            found += zip([v for states in self.states(chosen) for v in states], new)
        return found

    def _groups(self, params: Sequence[Variable]) -> list[list[int]]:
        """Weights that one multi-tensor op may change in place; each dtype, those with a constraint and those that
        decay have their own."""
        groups: dict[Any, list[int]] = {}
        for i, p in enumerate(params):
            key = (p.dtype, p.constraint is not None, self.decay_of(p) is not None)
            groups.setdefault(key, []).append(i)
        return list(groups.values())

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        """The lists of variables that a step updates, the weights first."""
        return [list(params), *([self.slot(name, p) for p in params] for name in self.slots)]

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        """The new values of ``states(params)``, flat; ``values`` are those of the weights after weight decay."""
        states = self.states(params)[1:]
        rows = [self.changed(p, g, *row) for p, g, *row in zip(values, gradients, *states)]
        return [value for column in zip(*rows) for value in column]

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        """The new value of one weight, then those of its states."""
        raise NotImplementedError(f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Assign a weight and its state; for optimizers of one's own."""
        raise NotImplementedError

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable inside :meth:`update_step`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable inside :meth:`update_step`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable inside :meth:`update_step`."""
        variable.assign_sub(value)

    def _recorded(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        with recording() as made:
            for gradient, param in zip(gradients, params):
                if self.decay_of(param) is not None:
                    param.assign(self._decayed(param))
                self.update_step(gradient, param, as_dtype(self.rate(), param.dtype))
        return as_updates(made.updates())

    # weight decay ------------------------------------------------------------------------------------------

    def decay_of(self, param: Variable) -> Any:
        """The weight decay of a weight, None for none."""
        named = self._undecayed_names is not None and self._undecayed_names.search(param.name)
        return None if param.uid in self._undecayed or named else self.weight_decay

    def _decayed(self, param: Variable) -> Any:
        amount = self.decay_of(param)
        if amount is None:
            return param
        return param - param * as_dtype(amount, param.dtype) * as_dtype(self.rate(), param.dtype)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Choose weights that do not decay: these, and those whose names one of the patterns is found in. Steps that
        were built before are as they were."""
        self._undecayed = {v.uid for v in var_list or ()}
        patterns = list(var_names or ())
        self._undecayed_names = re.compile("|".join(patterns)) if patterns else None

    # accumulation and averages -----------------------------------------------------------------------------

    def _accumulated(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """The changes for the mean gradient of some steps, made at the last of them."""
        steps = self.gradient_accumulation_steps
        held = [self.slot("gradient_accumulator", p) for p in params]
        sums = [a + g for a, g in zip(held, gradients)]
        updated: list[Variable] = []

        def change() -> list[Any]:
            changes = as_updates(self.changes([s / steps for s in sums], params))
            updated.extend(v for v, _ in changes)
            return [value for _, value in changes] + [K.zeros_like(s) for s in sums]

        due = K.equal((self.iterations + 1) % steps, 0)
        values = classic_cond(due, change, lambda: [K.identity(v) for v in updated] + sums)
        return list(zip([*updated, *held], values))

    def _averaged(self, params: Sequence[Variable], values: dict[Variable, Any]) -> dict[Variable, Any]:
        found: dict[Variable, Any] = {}
        started = K.not_equal(self.count(), 0)
        for p in params:
            average, value = self.slot("average", p), values[p]
            momentum = as_dtype(started, p.dtype) * as_dtype(self.ema_momentum, p.dtype)
            found[average] = momentum * average + (1.0 - momentum) * value
            if self.ema_overwrite_frequency:
                due = K.equal((self.count() + 1) % self.ema_overwrite_frequency, 0)
                found[p] = K.where(due, found[average], value)
        return found

    def averages(self, var_list: Iterable[Variable]) -> list[tuple[Variable, Variable]]:
        """Those of the weights that have a moving average by now, each with the variable of its average."""
        return [(v, self._slots["average", v.uid]) for v in var_list if ("average", v.uid) in self._slots]

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Give weights their averages, as the end of training does with ``use_ema``."""
        pairs = self.averages(var_list)
        if not pairs:
            return
        assign_all([weight for weight, _ in pairs], values_of([average for _, average in pairs]))

    # steps of one's own ------------------------------------------------------------------------------------

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for weights now, which the first step would make."""
        self._built_for = list(variables)
        self._updates([K.zeros_like(v) for v in variables], list(variables))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One step from pairs (gradient, weight); see :meth:`apply`. Weights without a gradient stay as they are.

        Raises:
            ValueError: no weight has a gradient.
        """
        given = list(grads_and_vars)
        pairs = [(g, v) for g, v in given if g is not None]
        missing = ", ".join(v.name for g, v in given if g is None)
        if missing and not pairs:
            raise ValueError(f"{self.name}: there is no gradient for any of {missing}")
        if missing:
            warn_caller(f"{self.name}: there are no gradients for {missing}; these stay as they are")
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable]) -> Any:
        """One step from gradients of the scaled loss.

        Symbolic gradients give updates for ``K.function`` (inside a train step of a model they are taken along);
        engine tensors and arrays change the weights now.
        """
        params = list(trainable_variables)
        if any(isinstance(g, Tensor) for g in grads):
            updates = as_updates(self._updates(grads, params))
            taken = recorder.get()
            for variable, value in updates if taken is not None else ():
                taken.put(variable, value)
            return updates
        key = tuple(v.uid for v in params)
        if key not in self._functions:
            feeds = [K.placeholder(v.shape, dtype=v.dtype) for v in params]
            updates = as_updates(self._updates(feeds, params))
            self._functions[key] = Function(feeds, [], updates, f"{self.name}_apply")
        self._functions[key](list(grads))
        return self.iterations

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """One step as a function: new values of the weights and of :meth:`variables`; nothing changes.

        Args:
            optimizer_variables: values in the order of :meth:`variables`.
            grads: gradients of the scaled loss, of the weights that :meth:`build` was given.
            trainable_variables: values of these weights.

        Values are symbolic, or of an engine or NumPy, which gives results of the active engine.

        Raises:
            RuntimeError: the optimizer is not built.
            ValueError: another number of values or another shape.

        >>> from kbackend import K, optimizers
        >>> sgd, w = optimizers.SGD(0.5), K.variable([1.0, 2.0])
        >>> sgd.build([w])
        >>> weights, state = sgd.stateless_apply(sgd.get_state(), [[1.0, 1.0]], [[1.0, 2.0]])
        >>> weights[0].tolist(), w.numpy().tolist()
        ([0.5, 1.5], [1.0, 2.0])
        """
        params = self._built_for
        if params is None:
            raise RuntimeError(f"{self.name} is not built: call build(variables) with the weights first")
        own = self.variables()
        gradients = [g if hasattr(g, "shape") else to_numpy(g) for g in grads]
        if len(gradients) != len(params):
            raise ValueError(f"{self.name} was built for {len(params)} weights, there are {len(gradients)} gradients")

        def build(given: Any) -> tuple[list[Any], list[Any]]:
            new = dict(as_updates(self._updates(given, params)))
            return [new.get(v, v) for v in params], [new.get(v, v) for v in own]

        values = [*trainable_variables, *optimizer_variables]
        key = (id(self._rate), bool(self.gradient_accumulation_steps))
        weights, state = self._stateless(build, [*params, *own], values, gradients, key=key)
        return list(weights), list(state)

    def get_state(self) -> list[Any]:
        """The values of :meth:`variables`, as :meth:`stateless_apply` takes them."""
        return values_of(self.variables())

    def minimize(self, loss: Tensor, var_list: Sequence[Variable]) -> Any:
        """One step that makes a symbolic loss smaller: its updates, see :meth:`apply`."""
        return self.apply(_gradients(self.scale_loss(loss), var_list), var_list)

    def __repr__(self) -> str:
        hidden = {"name", "ema_momentum"} if not self.use_ema else {"name"}
        shown = registry.settings_text({k: v for k, v in self.get_config().items() if k not in hidden})
        return f"<{type(self).__name__}{shown and ' '}{shown}>"


def _count(label: str, value: Any, least: int) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise ValueError(f"{label} must be None or an integer of at least {least}, it is {value!r}")
    return value


def _gradients(loss: Tensor, params: Sequence[Variable]) -> list[Any]:
    gradients = gradients_op(loss, list(params))
    missing = [p.name for p, g in zip(params, gradients) if g is None]
    if missing:
        raise ValueError(
            f"the loss does not depend on {', '.join(missing)}, so there is no gradient to train "
            "them with; set trainable=False on their layers, or connect them to the loss"
        )
    return summed_gradients(gradients)


def _norm(tensors: Sequence[Any]) -> Any:
    total = K.sum(K.square(tensors[0]))
    for t in tensors[1:]:
        total = total + K.sum(K.square(t))
    return K.sqrt(total)


def _scaled(gradient: Any, norm: Any, limit: Any) -> Any:
    norm, limit = as_dtype(norm, K.dtype(gradient)), as_dtype(limit, K.dtype(gradient))
    return gradient * (limit / K.maximum(norm, limit))


def _between(gradient: Any, limit: Any) -> Any:
    limit = as_dtype(limit, K.dtype(gradient))
    return K.clip(gradient, -limit, limit)


def clip_norm(g: Any, c: Any, n: Any) -> Any:
    """A gradient of norm ``n``, scaled to norm ``c`` where that is smaller (Keras 2's function).

    Args:
        g: the gradient, a tensor of any shape.
        c: the largest norm, a number or tensor; a number below or equal to 0 clips nothing.
        n: the norm of ``g``, a scalar.

    >>> from kbackend import K, optimizers
    >>> [round(float(v), 4) for v in K.eval(optimizers.clip_norm(K.constant([3.0, 4.0]), 1.0, K.constant(5.0)))]
    [0.6, 0.8]
    """
    if isinstance(c, (int, float)) and c <= 0:
        return g
    return K.where(n >= c, g * c / n, g)
