"""Figures that notebooks show and files hold, made without a window."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

#: pixels along a side that PNG files of matplotlib may have
_MOST_PIXELS = 60_000


class Picture(Figure):
    """A figure of matplotlib that a notebook shows as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)

    def _repr_svg_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The picture as an SVG element."""
        text = io.StringIO()
        self.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()[text.getvalue().index("<svg") :]

    def write(self, path: Any, dpi: float) -> None:
        """Save it in the format of the file's ending; a picture too large for its format gets less dots an inch.

        Raises:
            ValueError: an ending that matplotlib does not know.
        """
        most = _MOST_PIXELS / max(self.get_size_inches())
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.savefig(path, dpi=min(dpi, most))
