"""Configurations in YAML: written, read, and refused where they hold more than plain values."""

import subprocess
import sys

import pytest

from kbackend import Input, Model, Sequential, layers
from kbackend.models import model_from_json, model_from_yaml
from kbackend.saving import FormatError

yaml = pytest.importorskip("yaml")


def model():
    x = Input((4, 3), name="x")
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True, name="l"), name="both")(x)
    return Model(x, layers.Dense(2, kernel_regularizer="l2", name="y")(h), name="m")


def test_both_ways():
    made = model()
    again = model_from_yaml(made.to_yaml())
    assert again.get_config() == made.get_config()
    assert model_from_json(made.to_json()).get_config() == made.get_config()


def test_a_configuration_of_keras_2():
    """With the tuples and references that PyYAML writes for Python's objects."""
    text = """
backend: tensorflow
class_name: Sequential
config:
  name: s
  layers:
  - class_name: Conv2D
    config: {name: c, filters: 2, kernel_size: !!python/tuple [3, 2], strides: &one !!python/tuple [1, 1],
      dilation_rate: *one, batch_input_shape: !!python/tuple [null, 5, 6, 3], dtype: float32, padding: same}
  - class_name: Flatten
    config: {name: f, trainable: true}
keras_version: 2.2.4
"""
    made = model_from_yaml(text)
    assert made.output_shape == (None, 60) and made.layers[0].kernel_size == (3, 2)


@pytest.mark.parametrize(
    "text, message",
    [
        ("!!python/object/apply:os.system ['true']", "no YAML document of plain values"),
        ("!!python/name:os.system", "no YAML document of plain values"),
        ("a: !!python/module:os", "no YAML document of plain values"),
        ("a: &a [*a]", "a value is inside itself"),
        ("a: &a [x]\nb: &b [" + "*a, " * 999 + "*a]\nc: &c [" + "*b, " * 999 + "*b]\nd: [*c, *c]", "more than 1000000"),
        ("[" * 5000, "nested too deep"),
        ("a: 2001-01-01", "no YAML document of plain values"),
        ("a: !!binary aGVsbG8=", "no YAML document of plain values"),
        ("{a: 1", "no YAML document of plain values"),
        ("- 1", "model"),
        ("x" * ((1 << 24) + 1), "characters, more than"),
        (3, "not a string"),
    ],
    ids=range(12),
)
def test_what_is_refused(text, message):
    with pytest.raises(FormatError, match=message):
        model_from_yaml(text)


def test_without_the_library_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "from kbackend.models import model_from_yaml\n"
        "try: model_from_yaml('a')\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == 'configurations in YAML need PyYAML: pip install "kbackend[yaml]"'


def test_a_model_of_huge_layers_is_refused_at_once():
    huge = Sequential([layers.Dense(2, input_shape=(3,), name="d")]).to_json()
    for size in (2**30, 2**31, 2**40):
        with pytest.raises(FormatError, match="larger than what the file has"):
            model_from_json(huge.replace('"units": 2', f'"units": {size}'))
