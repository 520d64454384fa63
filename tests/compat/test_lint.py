"""``kbackend lint``: what it reports, and that it leaves programs alone that are covered."""

from __future__ import annotations

import warnings

import pytest
from support.places import ROOT

from kbackend import compat
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
print(keras.__version__, np.anything.at_all(keyword=1), tf.__version__.startswith("2"))
model.fit(x, y, nb_epoch=3, validation_split=0.1)
model.fit_generator(g, samples_per_epoch=9, nb_val_samples=3, max_q_size=1)
print(model.predict_classes(x), model.optimizer.lr, model._standardize_user_data(x, y), keras.Model.summary)
again.marks = print
again.marks(sep="")
opt = Adam(lr=0.1, beta_1=0.5, clipnorm=1.0)
opt.get_updates(loss=a, params=b)
network = keras.applications.vgg16.VGG16(weights=None)
network.get_layer(name="fc1")
graph.add_node(1, weight=2)
losses = []
losses.append(1)
try:
    from keras.backend import get_session
except ImportError:
    get_session = None
try:
    from keras.layers.core import Nothing
except ImportError:
    from keras.layers import Dense as Nothing


def other(model, K):
    model.anything(at_all=1)
    K.anything(at_all=1)
    model = Sequential()
    model = wrapped(model)
    model.anything_else()
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

BEGIN = """import numpy as np
import keras
from keras import backend as K
from keras.callbacks import *
from keras.layers import *
from keras.models import *
from keras.optimizers import *
from keras.preprocessing.text import Tokenizer
x, y = np.zeros((4, 2)), np.zeros((4, 1))
m = Sequential([Dense(1, input_dim=2)])
m.compile("sgd", "mse")
"""
#: the last lines of programs that fail, and words of the finding
FAIL = [
    ("m.fit(x, y, epoch=3, verbose=0)", ["Sequential.fit", "'epoch'", "'epochs'"]),
    ("m.predict_class(x)", ["Sequential has no method 'predict_class'", "'predict_classes'"]),
    ("Adam(lr=1, beta1=0.5)", ["keras.optimizers.Adam", "'beta1'", "'beta_1'"]),
    ("EarlyStopping(patiance=3)", ["EarlyStopping", "'patiance'", "'patience'"]),
    ("o = SGD(0.1)\no.minimise(x)", ["SGD has no method 'minimise'"]),
    ("n = keras.models.clone_model(m)\nn.evaluate(x, y, batchsize=3)", ["Model.evaluate", "'batch_size'"]),
    ("def f():\n    d = Dense(3)\n    d.get_weight()\nf()", ["Dense has no method", "'get_weights'"]),
    ("class A: pass\na = A()\na.m = Sequential()\na.m.ad(1)", ["no method 'ad'"]),
    ("t = Tokenizer()\nt.fit_on_text(['a'])", ["Tokenizer has no method", "'fit_on_texts'"]),
    ("m.summary(line_lenght=3)", ["Sequential.summary", "'line_length'"]),
    ("K.mean(K.ones((2,)), axes=0)", ["keras.backend.mean", "'axes'", "'axis'"]),
]
#: those of programs that run
RUN = [
    "m.fit(x, y, nb_epoch=1, verbose=0, validation_split=0.5)",
    "m.fit_generator(iter([(x, y)] * 9), samples_per_epoch=4, nb_epoch=1, verbose=0, max_q_size=1)",
    "m.predict_classes(x)\nm.predict_proba(x, verbose=0)\nm.layers[0].get_weights()\nm._standardize_user_data(x, y)",
    "m.marks = print\nm.marks(sep='')",
    "o = Adam(lr=0.1, beta_1=0.5, clipnorm=1.0, decay=1e-3)\no.get_config()\nK.get_value(o.lr)",
    "d = Dense(3)\nd.kernel_initializer((2, 3))\nd(Input((2,)))\nd.get_output_shape_for((None, 2))",
    "losses = []\nlosses.append(1)\nmetrics = dict()\nmetrics.update(a=1)",
    "def f(m, K):\n    m.update(a=1)\n    return K.real\nf(dict(), 3)",
    "t = Tokenizer(nb_words=3)\nt.fit_on_texts(['a'])\nassert t.num_words == 3 and keras.__version__.split('.')",
    "keras.Model.summary\nc = LambdaCallback(on_batch_end=print)\nc.set_model(m)",
]


def executed(program):
    """Run a program with the hook."""
    compat.install()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    finally:
        compat.uninstall()


@pytest.mark.parametrize(("lines", "words"), FAIL)
def test_what_is_reported_of_objects_fails(lines, words):
    (found,) = findings(BEGIN + lines)
    assert all(word in found.message for word in words), found
    with pytest.raises((TypeError, AttributeError)):
        executed(BEGIN + lines)


@pytest.mark.parametrize("lines", RUN)
def test_what_is_not_reported_of_objects_runs(lines):
    assert findings(BEGIN + lines) == []
    executed(BEGIN + lines)


def test_nothing_is_said_of_a_program_that_is_covered():
    assert findings(COVERED) == []


@pytest.mark.parametrize(("program", "words"), REPORTED)
def test_what_is_not_covered_is_named_with_its_line(program, words):
    found = findings(program)
    assert found and found[-1].line == len(program.splitlines())
    assert all(word in " ".join(f.message for f in found) for word in words), found


@pytest.mark.tree
def test_nothing_is_said_of_programs_that_run():
    folders = [ROOT / "tests" / "legacy" / "programs", ROOT / "tests" / "packages"]
    programs = [p for folder in folders for p in folder.rglob("*.py")]
    assert len(programs) > 50
    found = {p.name: findings(p.read_text(encoding="utf-8")) for p in programs}
    assert {name: said for name, said in found.items() if said} == {}


def test_the_command_prints_and_fails(tmp_path, capsys):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(COVERED)
    bad.write_text("import numpy\nfrom keras.models import Graph\n")
    assert cli.main(["lint", str(good)]) == 0
    assert "covered" in capsys.readouterr().out
    assert cli.main(["lint", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.startswith(f"{bad}:2: keras.models.Graph is not covered by kbackend: ")
