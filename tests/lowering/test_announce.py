"""What is said while a program is made or first run for long."""

import logging
import time

import pytest

from kbackend import K
from kbackend.lowering import announce

pytestmark = pytest.mark.engine("numpy")


@pytest.fixture
def slow(monkeypatch):
    """A function whose first run takes a third of a second, where 0.05 s are long."""
    monkeypatch.setattr(announce, "PATIENCE", 0.05)
    x = K.placeholder((2,), name="x")
    function = K.function([x], [x * 2.0], name="doubling")

    def run():
        program = next(iter(function._programs.values()), None)
        if program is None:
            real = announce.announced

            def waiting(name, engine):
                context = real(name, engine)
                context.__enter__()
                time.sleep(0.3)
                context.__exit__(None, None, None)
                return real(name, engine)

            with monkeypatch.context() as patch:
                patch.setattr("kbackend.lowering.program.announced", waiting)
                return function([[1.0, 2.0]])[0].tolist()
        return function([[1.0, 2.0]])[0].tolist()

    return run


def test_the_logger_gets_it_where_stderr_is_no_terminal(slow, caplog, capsys):
    with caplog.at_level(logging.INFO, logger="kbackend"):
        assert slow() == [2.0, 4.0]
    assert "the program doubling on " in caplog.text
    assert capsys.readouterr().err == ""
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="kbackend"):
        slow()
    assert caplog.text == ""


def test_a_terminal_gets_it_on_stderr(slow, monkeypatch, capsys):
    monkeypatch.setattr(announce, "_is_interactive", lambda: True)
    slow()
    assert "making and first running the program doubling on " in capsys.readouterr().err


def test_short_work_and_work_nobody_follows_say_nothing(monkeypatch, capsys, caplog):
    monkeypatch.setattr(announce.threading, "Timer", None)
    with announce.announced("quick", "numpy:cpu"):
        pass
    monkeypatch.undo()
    with caplog.at_level(logging.INFO, logger="kbackend"), announce.announced("quick", "numpy:cpu"):
        pass
    assert caplog.text == "" and capsys.readouterr().err == ""
