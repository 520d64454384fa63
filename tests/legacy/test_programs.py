"""Programs in the styles of 2015 to 2019 run as they are: each ends with what it learnt or computed."""

from __future__ import annotations

import re
import warnings

import pytest
from support.places import ROOT

from kbackend import K
from kbackend.compat import running

FOLDER = ROOT / "tests" / "legacy" / "programs"
PROGRAMS = {p.relative_to(FOLDER).with_suffix("").as_posix(): p for p in sorted(FOLDER.rglob("*.py"))}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name, each_backend, capsys):
    text = PROGRAMS[name].read_text(encoding="utf-8")
    for module, used in (("scipy", "scipy"), ("sklearn", "sklearn"), ("h5py", r"\.h5|\.hdf5")):
        if re.search(used, text):
            pytest.importorskip(module)
    K.clear_session()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # those of Keras 1 name the spellings of now
            status = running.run(str(PROGRAMS[name]), tf_keras="tensorflow" in text)
    finally:
        K.clear_session()
    printed = capsys.readouterr()
    assert status == 0, printed.err
    assert printed.out  # every program prints what it compares


def test_there_are_as_many_as_the_page_says():
    page = (ROOT / "docs" / "guide" / "keras2.md").read_text(encoding="utf-8")
    assert f"{len(PROGRAMS)} programs" in page and len(PROGRAMS) >= 30
