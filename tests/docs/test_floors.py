"""The picture of the floors in the README is the contract in pyproject.toml."""

from __future__ import annotations

import re
import tomllib

from support.places import ROOT


def test_the_picture_shows_the_floors_of_pyproject():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (floors,) = [c["layers"] for c in settings["contracts"] if c.get("containers") == ["kbackend"]]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    picture = re.search(r"^```\nkbackend\n(.*?)^```", readme, re.M | re.S)
    assert picture is not None
    drawn = [re.split(r"\s{2,}", line.strip())[0] for line in picture[1].splitlines()]
    assert drawn == floors and len(floors) > 15


def test_every_folder_and_module_is_on_a_floor():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {p.stem for p in (ROOT / "kbackend").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert all(re.search(rf"^  (\w+ \| )*{name}\b", readme, re.M) for name in names - {"__init__"})
