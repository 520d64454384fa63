"""What is installed, and that the tests run against it."""

import importlib
import os
from importlib import metadata
from pathlib import Path

import pytest
from support.places import ROOT

CHECKOUT = ROOT
PACKAGES = ("kbackend", "kbackend_numpy", "kbackend_torch", "kbackend_tensorflow")
installed_only = pytest.mark.skipif(
    os.environ.get("KBACKEND_EXPECT_INSTALLED") != "1",
    reason="only where the wheel is installed, as tox does (KBACKEND_EXPECT_INSTALLED=1)",
)


@installed_only
@pytest.mark.parametrize("package", PACKAGES)
def test_packages_come_from_the_wheel_not_the_checkout(package):
    place = Path(importlib.import_module(package).__file__).resolve()
    assert "site-packages" in place.parts
    assert (CHECKOUT / "kbackend") not in place.parents and (CHECKOUT / "backends") not in place.parents


@installed_only
def test_wheel_holds_the_packages_the_data_and_nothing_else():
    files = {str(file) for file in metadata.files("kbackend")}
    outside = {name.split("/")[0] for name in files if not name.startswith("..")}
    info = {name for name in outside if name.endswith(".dist-info")}
    assert outside - info == set(PACKAGES)
    for name in ("kbackend/data/digits.npz", "kbackend/data/DIGITS.md", "kbackend/py.typed"):
        assert name in files


@installed_only
def test_wheel_names_its_licences():
    assert metadata.metadata("kbackend")["License-Expression"] == "MIT"
    held = {file.name for file in metadata.files("kbackend") if "licenses" in file.parts}
    assert {"LICENSE", "DIGITS.md"} <= held


def test_entry_points_name_a_table_maker_per_engine():
    every = metadata.entry_points(group="kbackend.backends")
    points = {point.name: point for point in every if point.dist.name == "kbackend"}
    assert {name: point.value for name, point in points.items()} == {
        "numpy": "kbackend_numpy:backend",
        "torch": "kbackend_torch:backend",
        "tensorflow": "kbackend_tensorflow:backend",
    }
    assert all(callable(point.load()) for point in points.values())


def test_script_leads_to_the_command_line():
    (script,) = [p for p in metadata.entry_points(group="console_scripts") if p.name == "kbackend"]
    assert script.value == "kbackend.tools.cli:main"
    assert callable(script.load())


def test_importing_the_plugins_imports_no_engine(fresh_python):
    engines = ("torch", "tensorflow", "keras")
    code = f"import sys, {', '.join(PACKAGES)}; print([m for m in {engines} if m in sys.modules])"
    assert fresh_python(code).strip() == "[]"


def test_extras_and_python_versions():
    about = metadata.metadata("kbackend")
    extras = "torch tensorflow tensorflow-cpu keras-files export yaml plots images tensorboard completion all"
    assert set(about.get_all("Provides-Extra")) == set(extras.split())
    assert about["Requires-Python"] == "<3.14,>=3.11"
