"""Progress in a terminal, in a notebook, and in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

_interactive = [True]


def enable_interactive_logging() -> None:
    """Show progress on standard output, as is the default.

    >>> from kbackend import utils
    >>> utils.enable_interactive_logging()
    >>> utils.is_interactive_logging_enabled()
    True
    """
    _interactive[0] = True


def disable_interactive_logging() -> None:
    """Send the lines of progress to the logger 'kbackend', and show no bars.

    >>> from kbackend import utils
    >>> utils.disable_interactive_logging()
    >>> utils.is_interactive_logging_enabled()
    False
    >>> utils.enable_interactive_logging()
    """
    _interactive[0] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to standard output, and not to the logger.

    >>> from kbackend import utils
    >>> utils.is_interactive_logging_enabled()
    True
    """
    return _interactive[0]


def say(line: str) -> None:
    """Print a line, or give it to the logger."""
    if _interactive[0]:
        print(line, flush=True)
    else:
        import logging  # late, as html below: they take memory that few programs need

        logging.getLogger("kbackend").info(line)


def values_text(values: Mapping[str, Any]) -> str:
    """Names and numbers as 'loss: 0.5000  acc: 0.7500'."""
    return "  ".join(f"{name}: {_number_text(value)}" for name, value in values.items())


def _number_text(value: Any) -> str:
    if not isinstance(value, (int, float, np.integer, np.floating)):
        return str(value)
    return f"{value:.4g}" if abs(float(value)) < 1e-3 else f"{value:.4f}"


def time_text(steps: int, seconds: float, samples: int | None = None, unit: str = "step") -> str:
    """'20 steps, 1.50 s (75.00 ms/step, 427 samples/s)'."""
    rate = "" if samples is None else f", {samples / max(seconds, 1e-9):,.0f} samples/s"
    plural = "" if steps == 1 else "s"
    return f"{steps} {unit}{plural}, {seconds:.2f} s ({1000 * seconds / max(steps, 1):.2f} ms/{unit}{rate})"


class TerminalBar:
    """A live line in a terminal.

    Args:
        title: before the bar.
        total: the number of steps, None where it is not known.
        width: of the bar in characters.
    """

    def __init__(self, title: str, total: int | None, width: int = 24) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}"),
            BarColumn(bar_width=width),
            MofNCompleteColumn(),
            *([TimeRemainingColumn(compact=True)] if total else []),
            TextColumn("{task.fields[note]}"),
        ]
        console = Console(highlight=False, soft_wrap=True)
        self._bar = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._task = self._bar.add_task(title, total=total, note="")
        self._bar.start()

    def update(self, done: int, note: str) -> None:
        self._bar.update(self._task, completed=done, note=note, refresh=True)

    def stop(self) -> None:
        self._bar.stop()


class NotebookBar:
    """An output of a notebook's cell that is replaced in place, and empty at the end."""

    def __init__(self, title: str, total: int | None, width: int = 24) -> None:
        from IPython.display import HTML, display

        self._html, self._title, self._total, self._width = HTML, title, total, width
        self._started = time.perf_counter()
        self._handle = display(HTML(self._text(0, "")), display_id=True)

    def update(self, done: int, note: str) -> None:
        self._handle.update(self._html(self._text(done, note)))

    def stop(self) -> None:
        self._handle.update(self._html(""))

    def _text(self, done: int, note: str) -> str:
        bar = f'<progress style="width:{self._width / 2}em"'
        bar += f' value="{done}" max="{self._total}"></progress>' if self._total else "></progress>"
        count = f"{done}/{self._total}" if self._total else f"{done}"
        if self._total and done:
            left = (self._total - done) * (time.perf_counter() - self._started) / done
            count += f" {int(left) // 60}:{int(left) % 60:02d}"
        from html import escape

        return f"<code>{escape(self._title)} {bar} {count} {escape(note)}</code>"


def live_bar() -> Any:
    """The kind of bar that suits where standard output goes; None for a file, a pipe and a logger."""
    if not _interactive[0]:
        return None
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        return NotebookBar
    from rich.console import Console

    return TerminalBar if sys.stdout.isatty() and not Console().is_dumb_terminal else None


class Progbar:
    """Progress of any loop: a bar in a terminal or notebook, and a line at the end.

    Args:
        target: the number of steps, None where it is not known.
        width: of the bar in characters.
        verbose: 0 silent, 1 a bar and a line, 2 a line.
        interval: seconds between two pictures of the bar.
        stateful_metrics: names of values that are shown as they are; None for none. Of others the mean is shown.
        stateless_metrics: names of values of which the mean is shown; where it is given, others are shown as they are.
        unit_name: what a step is called.

    >>> from kbackend.utils import Progbar
    >>> bar = Progbar(2)
    >>> bar.add(1, [("loss", 1.0)])
    >>> bar.add(1, [("loss", 2.0)])  # doctest: +ELLIPSIS
    2 steps, ... ms/step)  loss: 1.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Collection[str] | None = None,
        stateless_metrics: Collection[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self._as_they_are = set(stateful_metrics or ())
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, list[float]] = {}
        self._seen = 0
        self._started = time.perf_counter()
        self._next = 0.0
        self._bar: Any = None
        self._finished = False

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that ``current`` steps are done.

        Args:
            current: the number of steps so far.
            values: pairs (name, value); means are weighted by the steps since the last update.
            finalize: whether this is the end; None for when the target is reached.
        """
        for name, value in values or ():
            self._take(name, value, current - self._seen)
        self._seen = current
        end = current >= (self.target or current + 1) if finalize is None else finalize
        if self.verbose == 1 and not end:
            self._draw()
        if end and not self._finished:
            self._finished = True
            self._finish()

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self._seen + n, values)

    def _take(self, name: str, value: Any, steps: int) -> None:
        mean = name not in self._as_they_are if self._averaged is None else name in self._averaged
        if not mean:
            self._sums[name] = [value, 1]
            return
        total = self._sums.setdefault(name, [0.0, 0])
        steps = max(steps, 1)
        total[0] += value * steps
        total[1] += steps

    def _values(self) -> str:
        return values_text({name: total / count for name, (total, count) in self._sums.items()})

    def _draw(self) -> None:
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + self.interval
        if self._bar is None:
            kind = live_bar()
            if kind is None:
                return
            self._bar = kind("", self.target, self.width)
        self._bar.update(self._seen, self._values())

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self.verbose:
            seconds = time.perf_counter() - self._started
            say(f"{time_text(self._seen, seconds, unit=self.unit_name)}  {self._values()}".rstrip())
