"""Variables: neutral state cells. The value lives on one engine and moves when a program elsewhere needs it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.node import Node, Role, scoped
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.graph.transactions import Group, alone, changing, together, unchanged
from kbackend.ground.interrupts import hold_interrupts, release_interrupts

_uid = itertools.count()
#: what takes the assignments of the function that is being built; see :mod:`kbackend.graph.assignments`
recorder: ContextVar[Any] = ContextVar("kbackend_recorder", default=None)
#: whether any variable of the process has been shared with a module of an engine
sharing = [False]


class _VariableOp:
    """What is known of the nodes of variables, in the place of a declaration."""

    name = "variable"
    kind = "structural"
    role = Role.VARIABLE
    pure = True
    rowwise = False
    differentiable = True
    random = False
    view = False
    captures: str | None = None
    hyperparameters: tuple[str, ...] = ()
    runs_user_code = False
    operands: tuple[str, ...] = ()
    inference = static_value = stable_form = None

    def prepared(self, specs: Sequence[Any], attrs: Mapping[str, Any]) -> dict[str, Any]:
        return dict(attrs)

    def apply(self, args: Any, attrs: Any) -> Any:
        raise AssertionError("a variable is shared between copies of a graph, never made again")


VARIABLE_OP = _VariableOp()


class Variable(Tensor):
    """A named value that programs read and update.

    Args:
        initial: a NumPy array, or a function without arguments that gives one when the value is first needed.
        shape: the shape, without None.
        dtype: the dtype.
        name: the name.
        trainable: whether an optimizer may change it.
        constraint: a function of the new value, applied after each optimizer step.
        counter: the variable counts runs: each program that reads it adds one (random streams use this).
        host: the value stays in host memory on every device, so that kernels read it without waiting (learning rates).

    Attributes:
        autocast: whether a layer that computes in another dtype reads a cast of it.
        overwrite_with_gradient: whether an optimizer gives it its gradient as it is, in the place of a step.

    A variable has a value on one engine at a time (its home). ``numpy()`` gives it, ``assign`` sets it; neither
    makes a program again.
    """

    __slots__ = (
        "trainable",
        "constraint",
        "counter",
        "host",
        "uid",
        "regularizer",
        "autocast",
        "overwrite_with_gradient",
        "_initial",
        "_cells",
        "_home",
        "_shared",
        "group",
    )

    def __init__(
        self,
        initial: np.ndarray | Callable[[], np.ndarray],
        shape: Shape,
        dtype: str,
        name: str | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
        counter: bool = False,
        host: bool = False,
    ) -> None:
        try:
            dims = tuple(map(int, shape))  # type: ignore[arg-type]
        except TypeError:
            raise ValueError(f"a variable needs a known shape, {name or 'it'} was given {shape}") from None
        self.uid = next(_uid)
        name = scoped(name or f"variable_{self.uid}")
        spec = TensorSpec(dims, dtype)
        node = Node(VARIABLE_OP, (), {}, (), name=name)
        super().__init__(node, 0, spec, name)
        object.__setattr__(node, "outputs", (self,))
        self.trainable = trainable
        self.constraint = constraint
        self.regularizer: Any = None
        self.autocast = False
        self.overwrite_with_gradient = False
        self.counter = counter
        self.host = host
        self._initial = initial
        self._cells: dict[Any, Any] = {}
        self._home: Any = None
        self._shared: Any = None
        self.group = Group()

    def initial_value(self) -> np.ndarray:
        """The value before any assignment."""
        value = self._initial() if callable(self._initial) else self._initial
        value = dtypes.converted(np.asarray(value), self.dtype)
        if value.shape != self.shape:
            raise ValueError(f"the initial value of {self.name} has shape {value.shape}, not {self.shape}")
        return value

    @property
    def home(self) -> Any:
        """The target (engine and device) that holds the value, None before the first use."""
        return self._home

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return alone(self, self._numpy)

    def _numpy(self) -> np.ndarray:
        if self._home is None:
            self._initial = self.initial_value()  # kept: a random initial value is drawn once
            return np.array(self._initial)
        return self._home.cell_to_numpy(self._cells[self._home])

    def assign(self, value: Any) -> None:
        """Set the value; shape and dtype stay. Inside :func:`kbackend.graph.assignments.recording` the value may be
        symbolic, and is recorded as an update.

        Raises:
            ValueError: another shape.
            TypeError: complex numbers for a variable of real ones.
            OverflowError: an integer that does not fit the dtype.
        """
        made = recorder.get()
        if made is not None:
            made.put(self, value)
        else:
            changing(self, self._assign, self._checked(value))

    def assign_add(self, value: Any) -> None:
        """Add to the value; see :meth:`assign`."""
        self.assign(self + value if recorder.get() is not None else self.numpy() + np.asarray(value))

    def assign_sub(self, value: Any) -> None:
        """Subtract from the value; see :meth:`assign`."""
        self.assign(self - value if recorder.get() is not None else self.numpy() - np.asarray(value))

    def _checked(self, value: Any) -> np.ndarray:
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(
                f"{self.name} has shape {self.shape}; it cannot take a value of shape {array.shape}"
            )
        if array.dtype.kind == "c" and not dtypes.is_complex(self.dtype):
            raise TypeError(f"{self.name} is {self.dtype}; it cannot take a value of {array.dtype}")
        return dtypes.converted(array, self.dtype)

    def _assign(self, array: np.ndarray) -> None:
        if self._home is None:
            self._initial = array
        else:
            self._cells[self._home] = self._put(self._home, array)

    def _put(self, target: Any, array: np.ndarray) -> Any:
        """The holder on a target with a new value."""
        cell = self._cells[target]
        if self._shared is not target:
            return target.cell_assign(cell, array)
        target.cell_write(cell, target.from_numpy(array))
        return cell

    def cell(self, target: Any) -> Any:
        """The engine's holder of the value on ``target``; the value moves there if it lives elsewhere."""
        if self._home is target:
            return self._cells[target]
        return alone(self, self._move, target)

    def set_cell(self, target: Any, cell: Any) -> None:
        """Replace the engine's holder after a program has run."""
        self._cells[target] = cell
        self._home = target

    def release(self) -> None:
        """Forget the holders at former homes."""
        def alone_at_home() -> None:
            self._cells = {self._home: self._cells[self._home]}

        alone(self, alone_at_home)

    @property
    def shared(self) -> Any:
        """The target whose holder belongs to a module of the engine as well, None without one."""
        return self._shared

    def share(self, target: Any, cell: Any) -> None:
        """Hold the value in memory that a module of the engine holds it in: it is changed in place from now on."""
        def shared() -> None:
            self.set_cell(target, cell)
            self._shared = target
            sharing[0] = True

        alone(self, shared)

    def _move(self, target: Any) -> Any:
        if self._home is target:
            return self._cells[target]
        value = (
            self.initial_value() if self._home is None else self._home.cell_to_numpy(self._cells[self._home])
        )
        made = target not in self._cells
        self._cells[target] = target.make_cell(value, self) if made else self._put(target, value)
        self._home = target
        self._initial = _moved_away  # which would hold the memory of an array
        return self._cells[target]

    def __reduce__(self) -> Any:
        return _variable, self._parts()

    def __copy__(self) -> Variable:
        return self

    def __deepcopy__(self, memo: Any) -> Variable:
        """A variable of the same value, name and settings; the constraint and regularizer are shared."""
        made = memo[id(self)] = _variable(*self._parts())
        return made

    def _parts(self) -> tuple[Any, ...]:
        flags = self.trainable, self.counter, self.host, self.autocast, self.overwrite_with_gradient
        return self.numpy(), self.dtype, self.name, flags, self.constraint, self.regularizer


def _variable(
    value: np.ndarray, dtype: str, name: str, flags: tuple[bool, ...], constraint: Any, regularizer: Any
) -> Variable:
    trainable, counter, host, autocast, overwritten = flags
    made = Variable(value, value.shape, dtype, name, trainable, constraint, counter, host)
    made.regularizer = regularizer
    made.autocast = autocast
    made.overwrite_with_gradient = overwritten
    return made


def _moved_away() -> np.ndarray:
    raise AssertionError("the initial value is taken where there is no home yet")


def holders(variables: Sequence[Variable], target: Any) -> Callable[[], list[Any]]:
    """A function that gives the holders of variables on a target, as :meth:`Variable.cell` does for each."""
    if any(type(v).cell is not Variable.cell for v in variables):
        return lambda: [v.cell(target) for v in variables]
    return lambda: [v._cells[target] if v._home is target else v.cell(target) for v in variables]


def not_at(variables: Sequence[Variable], target: Any) -> list[Variable]:
    """The variables whose home is not the target."""
    return [v for v in variables if v._home is not target]


def set_cells(variables: Iterable[Variable], target: Any, cells: Iterable[Any]) -> None:
    """Replace the holders of variables whose home is the target: all, or none if an interrupt comes, as no Python code
    runs in between."""
    any(map(dict.__setitem__, map(_CELLS, variables), repeat(target), cells))


_CELLS = attrgetter("_cells")


def written(variables: Sequence[Variable], target: Any, cells: Sequence[Any]) -> list[Any]:
    """The new holders of variables, with the values of shared ones written in place.

    Interrupts must be held: between two of them some values are old and others new.
    """
    found = list(cells)
    for place, variable in enumerate(variables):
        if variable.shared is target:
            held = variable.cell(target)
            target.cell_write(held, found[place])
            found[place] = held
    return found


def values_of(variables: Sequence[Variable]) -> list[np.ndarray]:
    """Copies of the values at one moment: no update falls between them."""
    return unchanged(variables, lambda: [v.numpy() for v in variables])


def assign_all(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Set several variables; programs in other threads see all of the new values or none.

    Raises:
        ValueError, TypeError: as :meth:`Variable.assign`, and then nothing has changed.
    """
    arrays = [v._checked(value) for v, value in zip(variables, values, strict=True)]

    def assign() -> None:
        hold_interrupts()
        try:
            for variable, array in zip(variables, arrays):
                variable._assign(array)
        finally:
            release_interrupts()

    together(variables, assign)
