"""docs/formats.md against the layers and their table."""

import pytest
from support.places import ROOT

pytestmark = pytest.mark.engine("tensorflow")


def test_the_page_is_current(keras):
    pytest.importorskip("h5py")
    from saving.keras.formats import page

    made = page(keras)
    assert made.count("both ways |") > 80
    message = "run python tests/saving/keras/formats.py > docs/formats.md"
    assert made == (ROOT / "docs" / "formats.md").read_text(encoding="utf-8"), message
