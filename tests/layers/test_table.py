"""Every configuration of the table: shapes, values, gradients, configurations, training, moving, and Keras 3."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from layers import table
from layers.table import Row

import kbackend
from kbackend import layers
from kbackend.testing.compare import difference

ROWS = table.all_rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=str)


def same(found: list[np.ndarray], wanted: list[np.ndarray], bound: float, what: str, floor: float = 0.0) -> None:
    assert len(found) == len(wanted), f"{what}: {len(found)} instead of {len(wanted)}"
    for place, (got, right) in enumerate(zip(found, wanted)):
        assert (fault := difference(got, right, bound, floor)) is None, f"{what} {place}: {fault}"


#: modules whose layers are no computations of a row, or are checked in files of their own
ELSEWHERE = (
    "base", "legacy", "preprocessing.colors", "preprocessing.geometry", "preprocessing.hashing", "preprocessing.lookup",
    "preprocessing.mixing", "preprocessing.policies", "preprocessing.text", "preprocessing.warping",
)  # fmt: skip
#: takes a dict; see preprocessing/test_policies.py
OF_DICTS = {"MaxNumBoundingBoxes"}
#: say why they cannot be had; see arguments/test_signatures.py
REFUSED = {"FlaxLayer", "JaxLayer"}

pytestmark = pytest.mark.usefixtures("fresh_session")


def wants_rows(kind: type) -> bool:
    """Cells are in the rows of the layers that run them."""
    module = kind.__module__.removeprefix("kbackend.layers.")
    elsewhere = module.startswith(ELSEWHERE) or kind.__name__ in OF_DICTS | REFUSED
    return not elsewhere and not kind.__name__.endswith(("Cell", "Cells"))


def test_every_layer_has_rows():
    counts = Counter(getattr(layers, row.layer) for row in ROWS)
    kinds = {kind for kind in vars(layers).values() if isinstance(kind, type) and issubclass(kind, layers.Layer)}
    kinds = {kind for kind in kinds if wants_rows(kind)} | set(counts)
    few = {kind.__name__: counts[kind] for kind in kinds if counts[kind] < 3}
    assert not few, "layers with fewer than 3 configurations"


@every_row
def test_symbolic_shape_is_the_computed_one(row: Row):
    made = table.made(row, **table.last(row))
    shapes = [tuple(t.shape) for t in made.outputs]
    computed = [v.shape for v in table.definition(row).outputs]
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
        found = table.computed(row, table.made(row, table.reread(_float64(layer))))
    wanted = table.definition(row)
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
def test_values_and_gradients(row: Row, each_backend):
    found, wanted = table.computed(row, table.made(row, **table.last(row))), table.definition(row)
    _compare(row, found, wanted)


def _compare(row: Row, found: table.Found, wanted: table.Found) -> None:
    same(found.outputs, wanted.outputs, row.bound, "output")
    same(found.masks, wanted.masks, 0.0, "mask")
    # a gradient that cancels to nothing is compared with the size of those it is the sum of
    same(found.by_inputs, wanted.by_inputs, row.bound, "gradient by input", floor=0.1)
    same(found.by_weights, wanted.by_weights, row.bound, "gradient by weight", floor=0.1)
    same(found.state, wanted.state, row.bound, "state")


@pytest.mark.parametrize("row", [row for row in ROWS if row.takes_data_format], ids=str)
def test_channels_first(row: Row, each_backend):
    values = [table.channels_first(row, v) for v in row.inputs()]
    found = table.computed(row, table.made(row, data_format="channels_first"), *values)
    wanted = table.definition(row)
    outputs, by_inputs = ([table.channels_first(row, v) for v in part] for part in (wanted.outputs, wanted.by_inputs))
    _compare(row, found, table.Found(outputs, wanted.masks, by_inputs, wanted.by_weights, wanted.state))


@pytest.mark.parametrize("row", [row for row in ROWS if table.trainable(row)], ids=str)
def test_a_training_step_and_a_move(row: Row, each_backend):
    model, inputs, targets = table.model_of(row)
    model.train_on_batch(inputs, targets)
    same(model.get_weights(), table.trained_definition(row), row.bound, "trained weight")
    here = _predicted(model, inputs)
    model.to("numpy")
    same(_predicted(model, inputs), here, row.bound, "output after moving")


def _predicted(model, inputs):
    found = model.predict(inputs)
    return found if isinstance(found, list) else [found]


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
    ours = table.definition(row)
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
