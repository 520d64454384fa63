"""Each layer of the table in each format of an engine, read by its own runtime; what a format cannot hold is refused.

One row of each layer, and only with KBACKEND_TEST_SLOW=1: ONNX takes seconds a layer. The refusals are always tried.
"""

import os

import numpy as np
import pytest
from layers import table
from saving.export.exceptions import EXCEPTIONS
from saving.export.test_formats import RUNTIMES, each_format, needs
from saving.export.test_layers import model_of

from kbackend.saving import ExportError
from kbackend.testing.compare import difference

pytestmark = pytest.mark.usefixtures("fresh_session")


def rows():
    """The first row of each layer."""
    found = {}
    for row in table.all_rows():
        found.setdefault(row.layer, row)
    return list(found.values())


def exported(row, format, path):
    model = model_of(row)
    model.to(RUNTIMES[format][0])
    model.export(path, format=format)
    return model


def is_refused(row, format, path):
    with pytest.raises(ExportError, match=EXCEPTIONS[format][row.layer]):
        exported(row, format, path)
    assert not os.path.exists(path)


@each_format
def test_what_a_format_cannot_hold_is_refused(format, tmp_path):
    needs(format)
    for row in rows():
        if row.layer in EXCEPTIONS[format]:
            is_refused(row, format, str(tmp_path / "model"))


@pytest.mark.skipif(not os.environ.get("KBACKEND_TEST_SLOW"), reason="takes minutes; KBACKEND_TEST_SLOW=1 runs it")
@pytest.mark.timeout(3600)
@each_format
def test_every_other_layer_gives_its_predictions(format, tmp_path):
    needs(format)
    faults, count = {}, 0
    for number, row in enumerate(rows()):
        if row.layer in EXCEPTIONS[format]:
            continue
        path = str(tmp_path / f"model_{number}")
        values = [v.astype(np.float32) if v.dtype == np.float64 else v for v in (*row.inputs(), *row.masks())]
        try:
            model = exported(row, format, path)
            predicted = model.predict(values)
            found = RUNTIMES[format][1](path, model.input_names, values)
        except Exception as error:
            faults[str(row)] = f"{type(error).__name__}: {error}"
            continue
        wanted = predicted if isinstance(predicted, list) else [predicted]
        told = [difference(np.asarray(a), b, max(row.bound, 1e-4)) for a, b in zip(found, wanted, strict=True)]
        faults |= {str(row): why for why in told if why is not None}
        count += 1
    assert not faults
    print(f"{format}: {count} layers equal")
