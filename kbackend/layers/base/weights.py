"""The weights of a layer: making, listing, reading and setting them, and the dtype in which ``call`` gets them."""

from __future__ import annotations

import operator
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, overload

import numpy as np

from kbackend import constraints, dtype_policies, dtypes, initializers, regularizers
from kbackend.declare.call import to_numpy
from kbackend.declare.shapes import product
from kbackend.dtype_policies import DTypePolicy
from kbackend.graph.node import scoped
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.active import autocast
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.naming import HasName, described
from kbackend.layers.base.structures import distinct
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.streams import scope


class _OfLayer:
    def __repr__(self) -> str:
        return "<the layer's>"


#: stands for an argument of add_weight that the layer's attributes give
OF_LAYER: Any = _OfLayer()

_NAME_FIRST = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_SHAPE_FIRST = ("shape", "initializer", "dtype", "trainable")


class HasWeights(HasName, inner=True):
    """The part of a layer that holds its weights.

    Attributes:
        dtype_policy: in which dtypes the layer computes and keeps its weights.
        trainable: whether training changes them.
        built: whether they have been made.
    """

    #: attributes that hold live hyperparameters: variables that are not weights
    hyperparameters: tuple[str, ...] = ()
    _weights_last = False
    #: the number of the last change of what the layer computes (see inside.py)
    _revision = 0
    _untracked = frozenset({"_calls", "_consumers", "_weights", "_losses", "_updates", "_initial_weights", "_replaced",
                            "_measured"})  # fmt: skip

    def __init__(self, name: Any, dtype: Any, trainable: bool, weights: Any) -> None:
        super().__init__(name)
        self._take_policy(dtype)
        self.trainable = trainable
        self.built = False
        self._weights: list[Variable] = []
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []
        self._replaced: list[Variable] = []
        self._initial_weights = weights

    # dtypes -------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """The dtype of the weights; assigned, a policy or its name."""
        return self.dtype_policy.variable_dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        self._take_policy(value)

    def _take_policy(self, value: Any) -> None:
        try:
            policy = dtype_policies.get(value)
        except ValueError as error:
            raise ValueError(f"{described(self)}: {error}") from None
        self._policies = policy if isinstance(policy, dtype_policies.DTypePolicyMap) else None
        self.dtype_policy = policy if self._policies is None else policy.of_layer(scoped(self.name))

    def _follow_policies(self, path: str | None = None) -> None:
        """Take the policy that a map has for the layer's path, the name below the scopes that are open when None."""
        if self._policies is not None:
            self.dtype_policy = self._policies.of_layer(scoped(self.name) if path is None else path)

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs are cast to, in which ``call`` gets the weights."""
        return self.dtype_policy.compute_dtype

    # making -------------------------------------------------------------------------------------------------

    @overload
    def add_weight(
        self,
        name: str | None = None,
        shape: Sequence[int] = (),
        dtype: Any = None,
        initializer: Any = OF_LAYER,
        regularizer: Any = OF_LAYER,
        trainable: bool = True,
        constraint: Any = OF_LAYER,
        *,
        autocast: bool = True,
    ) -> Variable: ...

    @overload
    def add_weight(
        self,
        shape: Sequence[int],
        initializer: Any = OF_LAYER,
        dtype: Any = None,
        trainable: bool = True,
        *,
        autocast: bool = True,
        name: str | None = None,
        regularizer: Any = OF_LAYER,
        constraint: Any = OF_LAYER,
    ) -> Variable: ...

    def add_weight(self, *positional: Any, **named: Any) -> Variable:
        """Make a weight: ``add_weight(name, shape)`` as in Keras 2, or ``add_weight(shape, name=name)`` as in Keras 3.

        The initializer, regularizer and constraint of a weight "kernel" are the layer's attributes
        ``kernel_initializer``, ``kernel_regularizer`` and ``kernel_constraint``, where it has them and none is given
        here. Those of "recurrent_kernel" may be called ``recurrent_initializer`` and so on as well, and a name such
        as "query/kernel" counts from the last slash on.

        Args:
            name: its name, below the layer's.
            shape: its shape, a list or tuple of integers.
            dtype: the layer's dtype when None.
            initializer: a name, an Initializer or a function of (shape, dtype); glorot_uniform when None.
            regularizer: a function of the weight that is added to the loss; None for none.
            trainable: whether training changes it.
            constraint: a function of the new value, applied after each training step; None for none.
            autocast: whether ``call`` gets it in the dtype in which the layer computes.

        Returns:
            The variable. Its initial value is computed when it is first needed, the same on every engine.

        Raises:
            TypeError: an argument that is unknown or given twice, or a shape that is none.
            ValueError: a dimension is None, an unknown initializer, regularizer or constraint, or an initializer that
                cannot make this shape.

        >>> from kbackend import layers
        >>> layer = layers.Layer(name="scale")
        >>> layer.kernel_initializer = "ones"
        >>> layer.add_weight("kernel", (2,)).numpy().tolist()
        [1.0, 1.0]
        >>> layer.add_weight((2,), name="kernel", initializer="zeros").numpy().tolist()
        [0.0, 0.0]
        """
        given = _by_name(positional, named)
        try:
            return self._made_weight(**given)
        except (TypeError, ValueError) as error:
            if type(error) not in (TypeError, ValueError) or str(error).startswith("layer "):
                raise
            label = getattr(self, "label", None) or described(self)
            raise type(error)(f"{label}: the weight {given.get('name')!r}: {error}") from error

    def _made_weight(
        self,
        name: str | None = None,
        shape: Any = (),
        dtype: Any = None,
        initializer: Any = OF_LAYER,
        regularizer: Any = OF_LAYER,
        trainable: bool = True,
        constraint: Any = OF_LAYER,
        autocast: bool = True,
    ) -> Variable:
        chosen = self.dtype if dtype is None else dtypes.canonical(dtype)
        dims = self._known_shape(name, shape)
        made_by = initializers.get(self._of_weight(name, "initializer", initializer) or "glorot_uniform")
        limit = constraints.get(self._of_weight(name, "constraint", constraint))
        penalty = regularizers.get(self._of_weight(name, "regularizer", regularizer))
        with self._owner.entered(), scope(name or "weight"):
            initial = initializers.initial_value(made_by, dims, chosen)
        variable = Variable(initial, dims, chosen, name, trainable=trainable, constraint=limit)
        variable.regularizer = penalty
        variable.autocast = autocast
        self._weights.append(variable)
        (self._trainable_weights if variable.trainable else self._non_trainable_weights).append(variable)
        return variable

    def _known_shape(self, name: str | None, shape: Any) -> tuple[int, ...]:
        if not isinstance(shape, (list, tuple)):
            raise TypeError(
                f"layer {self.name}: add_weight takes (name, shape) or (shape, name=...); the shape of the weight "
                f"{name!r} must be a list or tuple of integers, it is {shape!r}"
            )
        if any(d is None for d in shape):
            raise ValueError(
                f"layer {self.name}: the weight {name!r} needs a known shape, it was given {tuple(shape)}"
            )
        dims = tuple(operator.index(d) for d in shape)
        _take(self.name, name, dims)
        return dims

    def _of_weight(self, name: str | None, role: str, given: Any) -> Any:
        """The initializer, regularizer or constraint of a weight: the one given, else the layer's of that name."""
        if given is not OF_LAYER:
            return given
        if name is None:
            return None
        own = name.rpartition("/")[2]
        for stem in dict.fromkeys((own, own.removesuffix("_kernel"))):
            found = getattr(self, f"{stem}_{role}", None)
            if found is not None and stem != "activity":  # activity_regularizer is of the outputs
                return found
        return None

    # listing ------------------------------------------------------------------------------------------------

    def _attached(self) -> Iterator[Any]:
        """Variables and layers held in attributes, also in lists, tuples and dicts."""
        for key, value in vars(self).items():
            if key in self._untracked or key in self.hyperparameters:
                continue
            if isinstance(value, (Variable, HasWeights)):
                yield value
            elif isinstance(value, (list, tuple, dict)):
                yield from (v for v in tree_leaves(value) if isinstance(v, (Variable, HasWeights)))

    def _own_weights(self, known: Container[int] = ()) -> list[Variable]:
        """The weights that the layer holds itself, those made trainable first.

        Args:
            known: ids of weights of the layers inside it, if these come first.
        """
        held = [v for v in self._attached() if isinstance(v, Variable) and not v.counter]
        made = {id(v) for v in self._weights}
        for variable in self._non_trainable_weights:  # given by the class of a user, made by K.variable
            if id(variable) not in made:
                variable.trainable = False
        replaced = {id(v) for v in self._replaced}
        found = [v for v in distinct([*self._weights, *held]) if id(v) not in replaced]
        return sorted(found, key=lambda v: not v.trainable)

    def _sublayers(self) -> list[Any]:
        return distinct([v for v in self._attached() if isinstance(v, HasWeights)])

    def _forget_weights(self, count: int) -> None:
        """Forget the weights that were added after the first ones."""
        self._forget(self._weights[count:])

    def _forget(self, weights: Sequence[Variable]) -> None:
        """Forget weights of its own."""
        dropped = {id(v) for v in weights}
        for held in (self._weights, self._trainable_weights, self._non_trainable_weights):
            held[:] = [v for v in held if id(v) not in dropped]

    @property
    def _lists_weights(self) -> bool:
        """Whether the class is one of a user that defines ``trainable_weights``."""
        kind: Any = type(self)
        return not str(getattr(kind.trainable_weights.fget, "__module__", "")).startswith("kbackend.")

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none when the layer is not trainable.

        Layers of older programs assign their own, made by ``K.variable``, in place of those that the layer has. The
        lists ``_trainable_weights`` and ``_non_trainable_weights`` take variables as well.
        """
        return Inside(self).trained_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._trainable_weights = self._assigned(weights, trainable=True)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change; assigned as :attr:`trainable_weights` are."""
        return Inside(self).other_weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._non_trainable_weights = self._assigned(weights, trainable=False)

    def _assigned(self, weights: Sequence[Variable], trainable: bool) -> list[Variable]:
        """The variables, which take the place of the weights that are trainable, or not, as they are."""
        wrong = [w for w in weights if not isinstance(w, Variable)]
        if wrong:
            raise TypeError(
                f"layer {self.name}: weights are variables, made by add_weight or K.variable, not {wrong[0]!r}"
            )
        own = [v for v in self._own_weights() if v.trainable == trainable]
        chosen = {id(v) for v in weights}
        self._replaced = [v for v in (*self._replaced, *own) if id(v) not in chosen]
        for variable in weights:
            variable.trainable = trainable
            variable.autocast = True
        return list(weights)

    @property
    def weights(self) -> list[Variable]:
        """All weights, those made trainable first."""
        if self._lists_weights:
            return distinct([*self.trainable_weights, *self.non_trainable_weights])
        return Inside(self).weights

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    # values -------------------------------------------------------------------------------------------------

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights as NumPy arrays, all of one moment: no training step falls between them."""
        return values_of(self.weights)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights. Programs in other threads see all of the new values or none.

        Raises:
            ValueError: another number of weights or other shapes; nothing has changed then.
            TypeError: complex numbers for a weight of real ones; nothing has changed then.
        """
        variables = self.weights
        values = [to_numpy(w) for w in weights]
        if len(values) != len(variables):
            raise ValueError(
                f"layer {self.name} has {len(variables)} weights, set_weights was given {len(values)}"
            )
        for variable, value in zip(variables, values):
            if value.shape != variable.shape:
                raise ValueError(
                    f"layer {self.name}: the weight {variable.name} has shape {variable.shape}, "
                    f"set_weights was given {value.shape}"
                )
        assign_all(variables, values)

    def _adapter(self) -> Any:
        """Weights whose product is added to another one, which files of weights merge; None for none."""
        return None

    def _set_initial_weights(self) -> None:
        """Set the weights to the argument ``weights`` of the constructor, once."""
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def count_params(self) -> int:
        """The number of elements of the weights.

        Raises:
            RuntimeError: the layer has not been built.
        """
        if not self.built:
            raise RuntimeError(
                f"layer {self.name} has no weights yet: call it on a tensor, or build it, first"
            )
        return sum(product(v.shape) or 0 for v in self.weights)


#: how many elements the weights made from now on may have, in a list of one; None for any number
_left: ContextVar[list[int] | None] = ContextVar("kbackend_elements_left", default=None)


@contextmanager
def at_most(elements: int) -> Iterator[None]:
    """A context in which the weights that are made may not have more elements together: sizes come from a file."""
    token = _left.set([elements])
    try:
        yield
    finally:
        _left.reset(token)


def _take(layer: str, name: str | None, shape: tuple[int, ...]) -> None:
    left = _left.get()
    if left is None:
        return
    left[0] -= product(shape) or 0
    if left[0] < 0:
        raise ValueError(
            f"layer {layer}: the weight {name!r} of shape {shape} is larger than what the file has for all weights"
        )


def _by_name(positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``add_weight`` by name; the first one says in which order the others are."""
    if not positional:
        return named
    order = _NAME_FIRST if positional[0] is None or isinstance(positional[0], str) else _SHAPE_FIRST
    if len(positional) > len(order):
        raise TypeError(f"add_weight takes at most {len(order)} positional arguments: {', '.join(order)}")
    given = dict(zip(order, positional))
    twice = [key for key in given if key in named]
    if twice:
        raise TypeError(f"add_weight got {', '.join(twice)} twice: by position, in the order {order}, and by name")
    return given | named


# casts -------------------------------------------------------------------------------------------------------


class Casting(AbstractContextManager[None]):
    """A context in which ops get weights in another dtype.

    Args:
        dtype: the dtype; None for a context in which weights are as they are.
        weights: those that are cast once, in front of everything that the context makes: a loop over steps casts none
            of them at each step. What nothing reads is in no program.
    """

    def __init__(self, dtype: str | None, weights: Iterable[Variable] = ()) -> None:
        self._dtype = dtype
        around = autocast.get()
        same = around is not None and around._dtype == dtype
        self._made: dict[int, Tensor] = dict(around._made) if same else {}
        self._first = list(weights)

    def __enter__(self) -> None:
        self._token = autocast.set(None)
        if self._dtype is None:
            return
        for weight in self._first:
            if weight.uid not in self._made and _is_cast(weight, self._dtype):
                self._made[weight.uid] = cast(weight, self._dtype)
        autocast.set(self)

    def __exit__(self, *exc: Any) -> None:
        autocast.reset(self._token)

    def __call__(self, operand: Any) -> Any:
        """The operand of an op in this context: a weight is cast, anything else stays."""
        if type(operand) in (list, tuple):
            return [self(o) for o in operand]
        assert self._dtype is not None
        if not isinstance(operand, Variable) or not _is_cast(operand, self._dtype):
            return operand
        found = self._made.get(operand.uid)
        if found is None:  # made in the body of a loop, perhaps, where nothing else may read it
            with Casting(None):
                found = cast(operand, self._dtype)
        return found


_AS_THEY_ARE: AbstractContextManager[None] = nullcontext()


def _is_cast(variable: Variable, dtype: str) -> bool:
    return variable.autocast and dtypes.is_float(variable.dtype) and variable.dtype != dtype


def uncast() -> AbstractContextManager[None]:
    """A context in which ops get weights as they are."""
    return _AS_THEY_ARE if autocast.get() is None else Casting(None)


def input_in(policy: DTypePolicy, value: Any) -> Any:
    """An input in the dtype that a layer with the policy takes; its mask stays with it."""
    if not isinstance(value, Tensor) or value.dtype == policy.compute_dtype:
        return value
    made = as_dtype(value, policy.input_dtype(value.dtype))
    made._keras_mask = value._keras_mask
    return made
