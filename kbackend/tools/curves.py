"""Plots of training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_STYLES = (("-", 4.0), ("--", 2.2), (":", 1.6), ("-.", 1.2))
_COLOURS = ("#9ecae1", "#d94801", "#252525", "#6a51a3")


def check(path: Path) -> None:
    """Raise an error where the end of a name says no format of pictures.

    Raises:
        ValueError: it does not; the message lists those that are known.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    known = sorted(FigureCanvasAgg.get_supported_filetypes())
    if path.suffix[1:].lower() not in known:
        raise ValueError(f"{path}: a picture's name must end in {', '.join('.' + n for n in known)}")


def save(curves: Mapping[str, Mapping[str, Sequence[float]]], path: Path) -> None:
    """Plot one panel for each title with one line for each engine, and save the picture.

    The lines of engines that agree coincide, so the first is wide and light, and later ones are thinner and dashed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(5.2 * len(curves), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for panel, (title, lines) in zip(panels, curves.items()):
        for (engine, values), (style, width), colour in zip(lines.items(), _STYLES, _COLOURS):
            panel.plot(range(1, len(values) + 1), values, style, linewidth=width, color=colour, label=engine)
        panel.set_title(title, fontsize=11)
        panel.set_xlabel("epoch")
        panel.set_ylabel("mean loss over the epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
