"""kbackend.preprocessing and what keras-preprocessing 1.1.2 gave, recorded by cases.py."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
from preprocessing.cases import CASES, RECORDED, plain


def compare(found, wanted, path):
    assert type(found) is type(wanted) or isinstance(found, (int, float)) and isinstance(wanted, (int, float)), path
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), path
        for key in wanted:
            compare(found[key], wanted[key], f"{path} {key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            compare(one, other, f"{path}[{number}]")
    elif isinstance(wanted, float):
        # six digits are recorded, of float32 results up to 255; principal components lose two more
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-3 if "flow 4" in path else 1e-4, err_msg=path)
    else:
        assert found == wanted, path


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:.*(switches|has no effect)")
def test_values_are_those_of_keras_preprocessing(name):
    if name == "image":
        pytest.importorskip("scipy")
    found = plain(CASES[name](importlib.import_module(f"kbackend.preprocessing.{name}")))
    compare(found, json.loads(RECORDED.read_text(encoding="utf-8"))[name], name)
