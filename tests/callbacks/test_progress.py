"""Progress in terminals, notebooks and files."""

from __future__ import annotations

import io
import logging
import re
import sys
import types

import numpy as np
import pytest

from kbackend import Input, Model, layers, utils
from kbackend.callbacks import LambdaCallback, ProgbarLogger

ONES = np.ones((64, 1), "float32")
LINE = r"Epoch 1/1  2 steps, \d+\.\d\d s \(\d+\.\d\d ms/step, [\d,]+ samples/s\)  loss: \d\.\d+"


def made():
    x = Input((1,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_file_gets_a_line_an_epoch(capsys):
    made().fit(ONES, ONES, epochs=1)
    assert re.fullmatch(LINE + r"\n", capsys.readouterr().out)


def test_a_file_gets_no_bar_even_where_colours_are_forced(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    made().fit(ONES, ONES, epochs=1, callbacks=[ProgbarLogger(interval=0.0)])
    out = capsys.readouterr().out
    assert re.fullmatch(LINE + r"\n", out)


def test_a_terminal_gets_a_bar_and_then_the_line(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    made().fit(ONES, ONES, callbacks=[ProgbarLogger(interval=0.0)])
    text = sys.stdout.getvalue()
    assert "1/2" in text and "━" in text and "samples/s  loss: " in text and re.search(r"\d:\d\d", text)
    assert re.search(LINE + r"\n$", text)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_the_cursor_comes_back_after_an_error(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())

    def fail(batch, logs):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        made().fit(ONES, ONES, callbacks=[LambdaCallback(on_train_batch_end=fail)])
    assert sys.stdout.getvalue().count("\x1b[?25h") == 1


def test_a_notebook_gets_one_output_that_changes(monkeypatch, capsys):
    shown = []

    class Handle:
        def update(self, html):
            shown.append(html)

    def display(html, display_id):
        shown.append(html)
        return Handle()

    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    notebook.display = types.ModuleType("IPython.display")
    notebook.display.HTML, notebook.display.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook.display)
    made().fit(ONES, ONES, callbacks=[ProgbarLogger(interval=0.0)])
    assert re.fullmatch(LINE + r"\n", capsys.readouterr().out)
    assert 'value="1" max="2"' in shown[1] and re.search(r"1/2 \d+:\d\d", shown[1]) and "loss: " in shown[1]
    assert shown[-1] == ""


def test_lines_go_to_the_logger_when_that_is_wanted(capsys, caplog):
    utils.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "kbackend"):
            made().fit(ONES, ONES)
        assert not utils.is_interactive_logging_enabled()
    finally:
        utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert re.fullmatch(LINE, caplog.messages[0])


def test_a_bar_of_ones_own(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    bar = utils.Progbar(4, stateful_metrics=["rate"], interval=0.0, unit_name="file")
    for _ in range(2):
        bar.add(2, [("loss", 1.0 if _ else 2.0), ("rate", _)])
    text = sys.stdout.getvalue()
    assert "2/4" in text and re.search(r"4 files, .* ms/file\)  loss: 1.5000  rate: 1.0000\n$", text)


def test_a_bar_without_a_target_ends_when_it_is_told(capsys):
    bar = utils.Progbar(None, verbose=2)
    bar.update(5, [("a", 1.0)])
    assert capsys.readouterr().out == ""
    bar.update(6, finalize=True)
    assert re.fullmatch(r"6 steps, .*  a: 1.0000\n", capsys.readouterr().out)
