"""Scripts run as Python runs them: arguments, __main__, exit status, tracebacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kbackend import compat
from kbackend.compat import running
from kbackend.tools import cli

PROGRAM = """
import sys
import os.path
import keras
from keras import backend as K

def main():
    print(__name__, os.path.basename(__file__), sys.argv[1:], sys.modules["__main__"].main is main)
    print(keras.__version__, K.backend())
    import beside
    print(beside.VALUE)

def annotated(x: 1 + 1): pass
assert annotated.__annotations__ == {"x": 2}  # no future statement is inherited

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def script(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "script.py"
        path.write_text(text)
        return str(path)

    (tmp_path / "beside.py").write_text("from keras.layers import Dense\nVALUE = Dense.__name__\n")
    return write


def test_a_script_finds_what_python_gives_it(script, capsys):
    before = sys.argv, sys.modules["__main__"], list(sys.path)
    path = script(PROGRAM)
    assert cli.main(["run", "--report-backend", "theano", path, "--epochs", "3", "-x"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "__main__ script.py ['--epochs', '3', '-x'] True", "2.3.1 theano", "Dense",
    ]  # fmt: skip
    assert (sys.argv, sys.modules["__main__"], list(sys.path)) == before and not compat.installed()
    sys.modules.pop("beside", None)


def test_the_engine_is_chosen(script, capsys):
    import kbackend

    before = kbackend.backend()
    try:
        path = script("from keras import backend as K\nprint(K.backend())")
        assert cli.main(["run", "--backend", "numpy", path]) == 0
        assert capsys.readouterr().out == "numpy\n"
        assert cli.main(["run", "--backend", "nothing", path]) == 2
        assert "nothing" in capsys.readouterr().err
    finally:
        kbackend.set_backend(before)


def test_a_file_that_is_not_there(capsys):
    assert cli.main(["run", "no/such/script.py"]) == 2
    assert "no/such/script.py" in capsys.readouterr().err


FAILING = [
    "def f():\n    raise KeyError('x')\n\nf()\n",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('y') from error\n",
    "x = = 3\n",
    "raise KeyboardInterrupt\n",
]


@pytest.mark.parametrize("text", FAILING)
def test_tracebacks_are_those_of_python(script, capsys, text):
    path = script(text)
    plain = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    status = running.run(path)
    assert capsys.readouterr().err == plain.stderr
    assert status == (130 if "Interrupt" in text else plain.returncode)


@pytest.mark.parametrize(("text", "status"), [("import sys; sys.exit(7)", 7), ("raise SystemExit('over')", "over")])
def test_exits_pass_on(script, text, status):
    with pytest.raises(SystemExit) as exit:
        running.run(script(text))
    assert exit.value.code == status and not compat.installed()


def test_the_module_is_a_command(script):
    path = script("import sys, keras\nprint(keras.__version__, sys.argv[1:])\nsys.exit(5)")
    command = [sys.executable, "-m", "kbackend.compat", "--backend", "numpy", path, "a", "--b"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (5, "2.3.1 ['a', '--b']\n", "")


def test_scripts_for_tensorflow_keras(script, capsys):
    text = (
        "import tensorflow as tf\nfrom tensorflow.keras.models import Sequential\n"
        "print(tf.keras.models.Sequential is Sequential)\n"
    )
    assert cli.main(["run", "--tf-keras", script(text)]) == 0
    assert capsys.readouterr().out == "True\n"
