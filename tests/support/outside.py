"""Packages with backends, installed into a folder as pip would: modules beside a ``*.dist-info``."""

import shutil
import tomllib
from pathlib import Path

from support.places import ROOT

GROUP = "kbackend.backends"
TOY = ROOT / "tests" / "plugins" / "toy_backend"


def declare(site: Path, distribution: str, backends: dict[str, str]) -> None:
    """What pip writes of a package: its name and its entry points."""
    info = site / f"{distribution.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1\n")
    points = "\n".join(f"{name} = {value}" for name, value in backends.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")


def install(site: Path, distribution: str, name: str, source: str) -> None:
    """A package of one module that declares one backend."""
    module = distribution.replace("-", "_")
    (site / f"{module}.py").write_text(source)
    declare(site, distribution, {name: f"{module}:backend"})


def install_toy(site: Path) -> None:
    """The toy backend, under the names of its pyproject.toml."""
    project = tomllib.loads((TOY / "pyproject.toml").read_text())["project"]
    shutil.copytree(TOY / "toy_backend", site / "toy_backend", ignore=shutil.ignore_patterns("__pycache__"))
    declare(site, project["name"], project["entry-points"][GROUP])
