"""What ``fit`` returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.callbacks.base import Callback


class History(Callback):
    """Records the values of each epoch. A notebook shows it as curves and a table of its last epoch.

    Attributes:
        epoch: numbers of the epochs.
        history: name -> list of values.
        engine: the engine and device that ran the training.
        rng: whose random numbers the training drew: "portable", or "native" for the engine's own generator.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> history = model.fit(data, targets, epochs=3, verbose=0)
    >>> sorted(history.history), history.epoch
    (['loss'], [0, 1, 2])
    """

    kept = ("epoch", "history", "_epochs")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self._epochs: dict[str, list[int]] = {}
        self.engine: str | None = None
        self.rng: str | None = None

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history) or 'nothing yet'}>"

    def on_train_begin(self, logs: Any = None) -> None:
        self.engine = self.params.get("engine")
        self.rng = self.params.get("rng")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch + 1)

    def plot(self, names: Sequence[str] | None = None, path: Any = None, dpi: float = 120) -> Any:
        """Draw the values over the epochs, with those on held-out data beside those of training.

        Args:
            names: of the values, with and without 'val_'; all numbers when None.
            path: a file to write, PNG, SVG or PDF by its ending.
            dpi: dots an inch of the file.

        Returns:
            A figure of matplotlib, which notebooks show.

        Raises:
            ValueError: a name that was not recorded.

        >>> from kbackend.callbacks import History
        >>> history = History()
        >>> for epoch, loss in enumerate([0.5, 0.3]):
        ...     history.on_epoch_end(epoch, {"loss": loss, "val_loss": loss + 0.1})
        >>> [axes.get_title() for axes in history.plot().axes]
        ['loss']
        """
        from kbackend.drawing.curves import epochs_picture

        unknown = [name for name in names or () if name not in self.history]
        if unknown:
            raise ValueError(f"the history has no {', '.join(unknown)}; it has {', '.join(self.history)}")
        chosen = names or [name for name, values in self.history.items() if _are_numbers(values)]
        figure = epochs_picture({name: (self._epochs[name], self.history[name]) for name in chosen})
        if path is not None:
            figure.write(path, dpi)
        return figure

    def _repr_html_(self) -> str:
        from html import escape

        where = f" on {self.engine}" if self.engine else ""
        head = f"<p>{len(self.epoch)} epochs{escape(where)}</p>"
        if not self.epoch:
            return head
        cells = [(name, values[-1]) for name, values in self.history.items()]
        names = "".join(f"<th>{escape(name)}</th>" for name, _ in cells)
        last = "".join(f"<td>{escape(f'{v:.6g}' if _are_numbers([v]) else str(v))}</td>" for _, v in cells)
        return f"{head}{self.plot().svg()}<table><tr>{names}</tr><tr>{last}</tr></table>"


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(hasattr(v, "__float__") and getattr(v, "ndim", 0) == 0 for v in values)
