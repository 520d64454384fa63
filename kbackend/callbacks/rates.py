"""Learning rates that change between epochs; nothing is compiled again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.monitor import Monitor
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.arguments import checked, keywords_of, unknown_keywords
from kbackend.ground.warn import warn_caller


def rate_of(optimizer: Any) -> float:
    """The learning rate of an optimizer's next step."""
    held = getattr(optimizer, _name_of_rate(optimizer))
    return float(np.asarray(held.numpy() if isinstance(held, Tensor) else held))


def set_rate(optimizer: Any, rate: float) -> None:
    """Give an optimizer another learning rate."""
    name = _name_of_rate(optimizer)
    held = getattr(optimizer, name)
    if name == "lr" and isinstance(held, Variable):
        held.assign(rate)
    else:
        setattr(optimizer, name, rate)


def _name_of_rate(optimizer: Any) -> str:
    """Of the attribute; an optimizer of one's own may have Keras 2's ``lr`` alone."""
    return "learning_rate" if hasattr(optimizer, "learning_rate") else "lr"


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch; nothing is compiled again.

    Args:
        schedule: a function of the epoch (from 0), or of the epoch and the rate, that gives the new rate.
        verbose: 1 prints it.

    The logs of each epoch, and so the history, get the rate as 'lr'.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> falling = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[falling])
    >>> round(float(model.optimizer.lr), 4)
    0.0333
    """

    @checked
    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes(schedule, 2)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = float(self.schedule(epoch, rate_of(self.model.optimizer)) if self._takes_rate else self.schedule(epoch))
        set_rate(self.model.optimizer, rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = rate_of(self.model.optimizer)


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many positional arguments; True where that is unknown."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a function written in C, without a signature
        return True
    return True


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by a factor when a value no longer gets better; nothing is compiled again.

    Args:
        monitor: the name of the value.
        factor: of the rate, less than 1.
        patience: epochs without improvement before the rate is reduced.
        verbose: 1 prints each new rate.
        mode: 'min', 'max', or 'auto' (max for accuracies and the like, else min).
        min_delta: a smaller change is no improvement.
        cooldown: epochs after a reduction that do not count.
        min_lr: the least rate.
        **kwargs: ``epsilon`` alone, Keras 2's old name of ``min_delta``.

    The logs of each epoch get the rate that it had as 'lr'.

    Raises:
        ValueError: a factor that is not in [0, 1).

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> plateau = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[plateau])
    >>> round(float(model.optimizer.lr), 5)
    0.0025
    """

    kept = ("best", "wait", "cooldown_counter")

    @checked
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if "epsilon" in kwargs:
            warn_caller("epsilon of ReduceLROnPlateau is called min_delta", DeprecationWarning)
            min_delta = kwargs.pop("epsilon")
        if kwargs:
            raise unknown_keywords("ReduceLROnPlateau", kwargs, keywords_of(ReduceLROnPlateau))
        if not 0.0 <= factor < 1.0:
            raise ValueError(f"factor must be less than 1, and 0 or more, it is {factor}")
        super().__init__(monitor, mode, min_delta)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._begin()

    def on_train_begin(self, logs: Any = None) -> None:
        self._begin()

    def _begin(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0
        self._warned = False

    def in_cooldown(self) -> bool:
        """Whether the rate was reduced less than ``cooldown`` epochs ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs |= self._rates()
        value = self._value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _optimizers(self) -> list[Any]:
        return list(getattr(self.model.optimizer, "optimizers", [self.model.optimizer]))

    def _rates(self) -> dict[str, float]:
        held = self._optimizers()
        if len(held) == 1:
            return {"lr": rate_of(held[0])}
        return {f"lr_{optimizer.name}": rate_of(optimizer) for optimizer in held}

    def _reduce(self, epoch: int) -> bool:
        """Reduce the rates that are not at the least one already; whether there were any."""
        reduced = False
        for optimizer in self._optimizers():
            rate = rate_of(optimizer)
            if rate > np.float32(self.min_lr):
                new = max(rate * self.factor, self.min_lr)
                set_rate(optimizer, new)
                reduced = True
                if self.verbose:
                    print(f"Epoch {epoch + 1}: the learning rate of {optimizer.name} is {new:g}")
        return reduced
