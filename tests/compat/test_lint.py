"""``kbackend lint``: what it reports, and that it leaves programs alone that are covered."""

from __future__ import annotations

import pytest

from kbackend.tools import cli
from kbackend.tools.lint import findings

COVERED = """
import tensorflow as tf
from keras.models import Sequential, Model, load_model
from keras.layers import *
from keras.layers.core import Dense, Dropout
import keras.backend as K
import keras
from keras.utils.np_utils import to_categorical
from keras.optimizers import SGD, Adam
from tensorflow.keras.callbacks import EarlyStopping
import numpy as np

model = Sequential()
model.add(Convolution2D(8, 3, 3, border_mode="same", init="he_normal", input_shape=(8, 8, 1)))
model.add(LeakyReLU(alpha=0.1))
model.add(keras.layers.Dense(10, activation="softmax", kernel_regularizer=keras.regularizers.l2(1e-4)))
model.compile(SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True), "mse", metrics=["acc"])
again = Model(input=model.input, output=model.output)
K.set_image_dim_ordering("tf")
f = K.function([model.input, K.learning_phase()], [model.output])
keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: print(logs), on_epoch_end=None)
tf.keras.layers.Dense(3).output
print(keras.__version__, np.anything.at_all(keyword=1))
"""

REPORTED = [
    ("from keras.models import Graph", ["keras.models.Graph", "functional interface"]),
    ("from keras.layers import Dens", ["keras.layers", "'Dens'", "Did you mean 'Dense'?"]),
    ("import keras.layers.cores", ["keras.layers", "'cores'"]),
    ("import keras\nkeras.backend.get_session()", ["keras.backend.get_session", "K.function"]),
    ("from keras import backend as K\nK.set_session(K.tf.Session())", ["keras.backend.set_session", "leave the call"]),
    ("import tensorflow as tf\ntf.reduce_mean(1)", ["tensorflow.reduce_mean", "K.mean"]),
    ("from tensorflow import Session", ["tensorflow.Session", "sessions"]),
    ("import keras.backend as K\nK.sum(1, axs=2)", ["keras.backend.sum", "'axs'", "Did you mean 'axis'?"]),
    ("from keras.layers import *\nDense(3, outputs=2)", ["keras.layers.Dense has no argument 'outputs'"]),
    ("import keras\nm = keras.models.Sequential()\nm.add_node(1)", ["Graph.add_node"]),
    ("print 'epoch'", ["no program of Python 3"]),
]


def test_nothing_is_said_of_a_program_that_is_covered():
    assert findings(COVERED) == []


@pytest.mark.parametrize(("program", "words"), REPORTED)
def test_what_is_not_covered_is_named_with_its_line(program, words):
    found = findings(program)
    assert found and found[-1].line == len(program.splitlines())
    assert all(word in " ".join(f.message for f in found) for word in words), found


def test_the_command_prints_and_fails(tmp_path, capsys):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(COVERED)
    bad.write_text("import numpy\nfrom keras.models import Graph\n")
    assert cli.main(["lint", str(good)]) == 0
    assert "covered" in capsys.readouterr().out
    assert cli.main(["lint", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.startswith(f"{bad}:2: keras.models.Graph is not covered by kbackend: ")
