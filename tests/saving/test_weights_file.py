"""Weights alone: by order, by name, with layers that do not fit."""

import numpy as np
import pytest

from kbackend import Input, Model, Sequential, layers
from kbackend.models import load_model
from kbackend.saving import FormatError


def model(units=(4, 3), names=("a", "b")):
    x = h = Input((5,))
    for size, name in zip(units, names):
        h = layers.Dense(size, name=name)(h)
    return Model(x, h)


def same(first, second):
    return all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_by_order(tmp_path):
    first, second = model(), model(names=("x", "y"))
    first.save_weights(tmp_path / "w.safetensors")
    assert second.load_weights(tmp_path / "w.safetensors") == [] and same(first, second)
    with pytest.raises(FileExistsError):
        first.save_weights(tmp_path / "w.safetensors", overwrite=False)


def test_by_name(tmp_path):
    first, second = model(), model(units=(4, 3, 3), names=("a", "b", "c"))
    first.save_weights(tmp_path / "w")
    with pytest.raises(FormatError, match=r"2 layers, the model has 3 layers with weights \(a, b, c\)"):
        second.load_weights(tmp_path / "w")
    assert second.load_weights(tmp_path / "w", by_name=True) == ["c"]
    assert (second.get_layer("b").get_weights()[0] == first.get_layer("b").get_weights()[0]).all()


@pytest.mark.parametrize("by_name", [True, False])
def test_layers_that_do_not_fit(tmp_path, by_name):
    first, second = model(), model(units=(4, 2))
    first.save_weights(tmp_path / "w")
    before = second.get_weights()
    with pytest.raises(FormatError, match=r"w: b: b/kernel has shape \(4, 2\), the file has \(4, 3\)"):
        second.load_weights(tmp_path / "w", by_name=by_name)
    assert all((a == b).all() for a, b in zip(before, second.get_weights()))
    with pytest.warns(UserWarning, match=r"keep their weights, .*: b: b/kernel has shape"):
        assert second.load_weights(tmp_path / "w", by_name=by_name, skip_mismatch=True) == ["b"]
    assert (second.get_weights()[0] == first.get_weights()[0]).all()
    assert (second.get_weights()[2] == before[2]).all()


def test_a_layer_called_twice_and_one_inside_a_model(tmp_path):
    def build():
        shared = layers.Dense(5)
        x = Input((5,))
        inner = Model(x, shared(shared(layers.Dense(5)(x))))
        return Model(x, inner(inner(x)))

    first, second = build(), build()
    first.save_weights(tmp_path / "w")
    second.load_weights(tmp_path / "w")
    assert same(first, second)


def test_other_safetensors_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "w")
    with pytest.raises(FormatError, match="does not say which layers"):
        model().load_weights(tmp_path / "w")


def test_weights_of_whole_models_and_models_of_weights(tmp_path):
    """Each file says what it is where the other kind is wanted; a ``.keras`` file gives its weights."""
    pytest.importorskip("h5py", reason="h5py is not installed")
    model, other = (Sequential([layers.Dense(2, input_shape=(3,))]) for _ in range(2))
    for name in ("m.kb", "m.keras"):
        model.save(tmp_path / name)
    model.save_weights(tmp_path / "w.safetensors")
    with pytest.raises(FormatError, match="it is a whole model of kbackend; kbackend.models.load_model reads it"):
        other.load_weights(tmp_path / "m.kb")
    with pytest.raises(FormatError, match="it holds weights alone"):
        load_model(tmp_path / "w.safetensors")
    other.load_weights(tmp_path / "m.keras")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("given", [3, "x", [1], {3: 4}])
def test_custom_objects_are_names(given, tmp_path):
    Sequential([layers.Dense(2, input_shape=(3,))]).save(tmp_path / "m.kb")
    with pytest.raises(TypeError, match="custom_objects must map names to classes and functions, it is"):
        load_model(tmp_path / "m.kb", given)
