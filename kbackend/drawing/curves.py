"""Curves over epochs and over learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_VALIDATION = "val_"
_COLUMNS = 3


def epochs_picture(values: Mapping[str, tuple[Sequence[int], Sequence[Any]]]) -> Any:
    """A panel for each name, in which the values on held-out data ('val_' before the name) are a second curve.

    Args:
        values: name -> the numbers of epochs, and the values after them.
    """
    from matplotlib.ticker import MaxNLocator

    from kbackend.drawing.picture import Picture

    names = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name in values))
    columns = min(_COLUMNS, max(len(names), 1))
    rows = -(-len(names) // columns) or 1
    figure = Picture(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names):
        for key, style in ((name, "-"), (_VALIDATION + name, "--")):
            if key in values:
                label = "training" if key == name else "validation"
                at, numbers = values[key]
                panel.plot(at, numbers, style, marker="o" if len(at) < 12 else None, markersize=3, label=label)
        panel.set_title(name, fontsize=11)
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
        if _VALIDATION + name in values:
            panel.legend(frameon=False)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    return figure


def rates_picture(rates: Sequence[float], losses: Sequence[float], suggestion: float | None) -> Any:
    """The loss over the learning rate, on a logarithmic axis, with the suggested rate."""
    from kbackend.drawing.picture import Picture

    figure = Picture(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(rates, losses)
    if suggestion is not None:
        axes.axvline(suggestion, color="#d94801", linestyle="--", label=f"steepest: {suggestion:.2g}")
        axes.legend(frameon=False)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss, smoothed")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
