"""Every configuration of the table: shapes, values, gradients, masks, configurations, training, mixed precision, moving
between engines, and Keras 3."""

from __future__ import annotations

from collections import Counter

import pytest
from layers import programs, table
from layers.programs import same
from layers.table import Row

import kbackend
from kbackend import layers

ROWS = table.all_rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=str)


def definition(row: Row) -> table.Found:
    """What the NumPy backend computes in float64 in the first call, with the channels last."""
    return programs.definition(row).found[0]


#: modules whose layers are no computations of a row, or are checked in files of their own
ELSEWHERE = (
    "base", "core.module", "core.saved_model", "legacy", "preprocessing.colors", "preprocessing.geometry",
    "preprocessing.hashing", "preprocessing.lookup", "preprocessing.mixing", "preprocessing.policies",
    "preprocessing.text", "preprocessing.warping",
)  # fmt: skip
#: takes a dict; see preprocessing/test_policies.py
OF_DICTS = {"MaxNumBoundingBoxes"}
#: say why they cannot be had; see arguments/test_signatures.py
REFUSED = {"FlaxLayer", "JaxLayer"}

#: arguments that are sizes, and those that are one of some names
SIZES = ("units", "filters", "kernel_size", "strides", "pool_size", "dilation_rate", "groups", "depth_multiplier", "n",
         "input_dim", "output_dim", "num_heads", "key_dim", "head_dim", "height", "width", "size", "power_iterations",
         "output_size", "num_tokens", "num_query_heads", "num_key_value_heads")  # fmt: skip
NAMES = ("padding", "data_format", "interpolation", "merge_mode", "score_mode", "output_mode", "activation",
         "recurrent_activation")  # fmt: skip
ROLES = ("_initializer", "_regularizer", "_constraint")

pytestmark = pytest.mark.usefixtures("fresh_session")


def wants_rows(kind: type) -> bool:
    """Cells are in the rows of the layers that run them."""
    module = kind.__module__.removeprefix("kbackend.layers.")
    elsewhere = module.startswith(ELSEWHERE) or kind.__name__ in OF_DICTS | REFUSED
    return not elsewhere and not kind.__name__.endswith(("Cell", "Cells"))


def test_every_layer_has_rows(capsys):
    counts = Counter(getattr(layers, row.layer) for row in ROWS)
    kinds = {kind for kind in layers.built_in().values() if wants_rows(kind)} | set(counts)
    few = {kind.__name__: counts[kind] for kind in kinds if counts[kind] < 3}
    assert not few, "layers with fewer than 3 configurations"
    assert len(ROWS) >= 700
    parts = [f"{len(ROWS)} rows of {len(counts)} layers", f"{len(table.all_bad())} refusals"]
    parts.append(f"{sum(row.masked for row in ROWS)} with masks")
    parts.append(f"{sum(row.keras is True for row in ROWS)} against Keras 3")
    with capsys.disabled():
        print(f"\nlayers: {', '.join(parts)}")


#: layers of Keras 3 whose rows are not compared with it here, and why
NOT_COMPARED = {
    "AdaptiveMaxPooling3D": "it ends the process there", "InputLayer": "no computation", "Layer": "no computation",
    "Lambda": "no names of functions there", "Pipeline": "in test_image_changes.py",
    "RandomCrop": "it leaves images whole there outside of training, against its documentation",
    "StackedRNNCells": "in rows of RNN", "Wrapper": "it has no call there",
}  # fmt: skip


@pytest.mark.engine("tensorflow")
def test_every_layer_of_keras_is_compared_with_it(keras):
    theirs = {name for name in dir(keras.layers) if isinstance(getattr(keras.layers, name), type)}
    ours = {kind.__name__ for kind in layers.built_in().values() if wants_rows(kind)}
    compared = {row.layer for row in ROWS if row.keras is True}
    same_class = {name for name in theirs for row in compared if getattr(layers, name, None) is getattr(layers, row)}
    missing = (ours & theirs) - same_class - NOT_COMPARED.keys()
    assert not missing


FIRST = {row.layer: row for row in reversed(ROWS)}.values()


def test_layers_that_take_masks_have_a_row_with_one():
    kinds = {getattr(layers, row.layer) for row in ROWS if row.masked}
    taking = {row.layer for row in FIRST if table.made(row, **table.last(row)).layer.supports_masking}
    assert not {name for name in taking if getattr(layers, name) not in kinds}


@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.layer)
def test_a_mask_is_taken_or_refused_by_name(row: Row):
    layer = getattr(layers, row.layer)(**row.given(), **table.last(row))
    if layer.supports_masking:
        return
    inputs = [kbackend.Input(shape, dtype=row.dtype) for shape in row.shapes]
    for tensor in inputs:
        tensor._keras_mask = kbackend.Input(tensor.shape[1:2], dtype="bool")
    with pytest.raises(TypeError, match=rf"\({row.layer}\) does not support masking.*has a mask"):
        layer(inputs if len(inputs) > 1 else inputs[0])


@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.layer)
def test_wrong_arguments_are_named(row: Row):
    """Sizes of 0 and unknown names, in the place of each size and name of the row and of defaults."""
    given = {**table.made(row, **table.last(row)).layer.get_config(), **row.given()}
    for name in getattr(layers, row.layer).arguments:
        value = given.get(name)
        wrong = 0 if name in SIZES else "nonsense" if name in NAMES or name.endswith(ROLES) else None
        if wrong is None or isinstance(value, dict) or callable(value):
            continue
        with pytest.raises((TypeError, ValueError)) as caught:
            table.made(row, **{**table.last(row), name: wrong})
        message = str(caught.value)
        assert row.layer in message and repr(wrong) in message, f"{name}={wrong!r}: {message}"


@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.layer)
def test_a_wrong_rank_is_named(row: Row):
    """A vector, and four dimensions more: taken, or refused by one error that names the layer and the shape."""
    if callable(row.arguments) or len(row.shapes) > 1:
        return
    for shape in ((), (*row.shapes[0], 2, 3, 2, 3)):
        layer = getattr(layers, row.layer)(**row.given(), **table.last(row))
        try:
            layer(kbackend.Input(shape, dtype=row.dtype))
        except (TypeError, ValueError) as error:
            assert row.layer in str(error) and str((None, *shape)) in str(error), str(error)


@every_row
def test_symbolic_shape_is_the_computed_one(row: Row):
    made = table.made(row, **table.last(row))
    shapes = [tuple(t.shape) for t in made.outputs]
    computed = [v.shape for v in definition(row).outputs]
    assert all(shape[0] is None for shape in shapes)
    for shape, right in zip(shapes, computed):
        assert len(shape) == len(right)
        assert all(ours in (None, n) for ours, n in zip(shape[1:], right[1:])), (shape, right)
        if not any(None in s for s in row.shapes):
            assert shape[1:] == right[1:]
    given = [(None, *shape) for shape in row.shapes]
    if not row.called:
        fresh = getattr(layers, row.layer)(**row.given(), **table.last(row))
        found = fresh.compute_output_shape(given if len(given) > 1 else given[0])
        assert (found if isinstance(found, list) else [found]) == shapes
        assert not fresh.built or not fresh.weights


@every_row
def test_configuration_goes_through_json(row: Row):
    layer = table.made(row, **table.last(row)).layer
    again = table.reread(layer)
    assert again.get_config() == layer.get_config()
    with kbackend.use_backend("numpy"), table.floatx("float64"):
        found = programs.Program(row, False, table.reread(_float64(layer)))()["channels_last"]
    wanted = definition(row)
    same(found.outputs, wanted.outputs, 1e-12, "output")
    same(found.by_weights, wanted.by_weights, 1e-10, "gradient by weight")


def _float64(layer):
    return type(layer).from_config(_without_dtypes(layer.get_config()))


def _without_dtypes(config):
    if isinstance(config, list):
        return [_without_dtypes(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {key: _without_dtypes(value) for key, value in config.items() if key != "dtype"}


@every_row
def test_on_an_engine(row: Row, each_backend):
    programs.check(row, each_backend)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("row", [row for row in ROWS if row.keras is True], ids=str)
def test_keras_computes_the_same(row: Row, keras):
    before = keras.config.dtype_policy()
    try:
        theirs, shapes = table.of_keras(keras, row)
    finally:
        keras.config.set_dtype_policy(before)
    layer = table.made(row, **table.last(row)).layer
    assert [tuple(w.shape) for w in layer.weights] == shapes
    ours = definition(row)
    # Keras holds some constants and computes some interpolations in float32
    bound = 1e-6 if row.keras_dtype == "float64" else 1e-5
    same(ours.outputs, theirs.outputs, bound, "output")
    same(ours.masks, theirs.masks, 0.0, "mask")
    same(ours.state, theirs.state, bound, "state")
    if row.keras_gradient is True:
        same(ours.by_inputs, theirs.by_inputs, bound, "gradient by input", floor=0.1)
        same(ours.by_weights, theirs.by_weights, bound, "gradient by weight", floor=0.1)


@pytest.mark.parametrize("bad", table.all_bad(), ids=str)
def test_bad_input_is_one_error(bad: table.Bad):
    with pytest.raises(bad.error) as caught:
        bad.run()
    message = str(caught.value)
    assert bad.layer in message and bad.words in message, message
    assert type(caught.value) is bad.error
