"""Variables: neutral state cells. The value lives on one engine and moves when a program elsewhere needs it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.node import Node, Role, scoped
from kbackend.graph.tensor import Shape, Tensor, TensorSpec

_uid = itertools.count()


class _VariableOp:
    """What is known of the nodes of variables, in the place of a declaration."""

    name = "variable"
    kind = "structural"
    role = Role.VARIABLE
    pure = True
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
        "_initial",
        "_cells",
        "_home",
        "lock",
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
        if any(d is None for d in shape):
            raise ValueError(f"a variable needs a known shape, {name or 'it'} was given {shape}")
        self.uid = next(_uid)
        name = scoped(name or f"variable_{self.uid}")
        spec = TensorSpec(tuple(int(d) for d in shape if d is not None), dtype)
        node = Node(VARIABLE_OP, (), {}, (), name=name)
        super().__init__(node, 0, spec, name)
        object.__setattr__(node, "outputs", (self,))
        self.trainable = trainable
        self.constraint = constraint
        self.regularizer: Any = None
        self.counter = counter
        self.host = host
        self._initial = initial
        self._cells: dict[Any, Any] = {}
        self._home: Any = None
        self.lock = threading.RLock()

    def initial_value(self) -> np.ndarray:
        """The value before any assignment."""
        value = self._initial() if callable(self._initial) else self._initial
        value = np.asarray(value, dtype=dtypes.numpy_dtype(self.dtype))
        if value.shape != self.shape:
            raise ValueError(f"the initial value of {self.name} has shape {value.shape}, not {self.shape}")
        return value

    @property
    def home(self) -> Any:
        """The target (engine and device) that holds the value, None before the first use."""
        return self._home

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        with self.lock:
            if self._home is None:
                self._initial = self.initial_value()  # kept: a random initial value is drawn once
                return np.array(self._initial)
            return self._home.cell_to_numpy(self._cells[self._home])

    def assign(self, value: Any) -> None:
        """Set the value; shape and dtype stay.

        Raises:
            ValueError: another shape.
            TypeError: complex numbers for a variable of real ones.
        """
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(
                f"{self.name} has shape {self.shape}; it cannot take a value of shape {array.shape}"
            )
        if array.dtype.kind == "c" and not dtypes.is_complex(self.dtype):
            raise TypeError(f"{self.name} is {self.dtype}; it cannot take a value of {array.dtype}")
        array = np.array(array, dtype=dtypes.numpy_dtype(self.dtype))
        with self.lock:
            if self._home is None:
                self._initial = array
            else:
                self._cells[self._home] = self._home.cell_assign(self._cells[self._home], array)

    def cell(self, target: Any) -> Any:
        """The engine's holder of the value on ``target``; the value moves there if it lives elsewhere."""
        if self._home is target:
            return self._cells[target]
        with self.lock:
            return self._move(target)

    def set_cell(self, target: Any, cell: Any) -> None:
        """Replace the engine's holder after a program has run."""
        self._cells[target] = cell
        self._home = target

    def _move(self, target: Any) -> Any:
        if self._home is target:
            return self._cells[target]
        value = (
            self.initial_value() if self._home is None else self._home.cell_to_numpy(self._cells[self._home])
        )
        old = self._cells.get(target)
        self._cells[target] = target.make_cell(value, self) if old is None else target.cell_assign(old, value)
        self._home = target
        return self._cells[target]

    def __deepcopy__(self, memo: Any) -> Variable:
        return self
