"""Runs packages that were written for Keras 2 with their own tests, through the hook, and prints the counts.

Each package comes from the index as its source archive, without what it depends on: those packages are installed
beside it the same way, into a folder that is kept (``--folder``). Nothing of a package is changed. keract and keras-tcn
have no tests in their archives; the examples beside this file take their place.

    python run.py --engines numpy,torch,tensorflow
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Package(NamedTuple):
    """A package, its version, and where its tests are: in its archive, or beside this file.

    Attributes:
        name, version: of the distribution.
        example: a file beside this one, None for the tests of the archive.
        tf_keras: whether it imports tensorflow, which is the stand-in then.
        left_out: tests that need what neither the archive nor the index has.
    """

    name: str
    version: str
    example: str | None = None
    tf_keras: bool = False
    left_out: tuple[str, ...] = ()


PACKAGES = (
    Package("keras-self-attention", "0.50.0"),
    Package("keras-multi-head", "0.28.0"),
    Package("keras-layer-normalization", "0.15.0"),
    Package("keras-transformer", "0.39.0"),
    # From 0.85.0 on its optimizer derives from a private class of TensorFlow, at import. The tests left out read
    # tests/test_checkpoint and a trained model, which are not in the archive, or download a file.
    Package(
        "keras-bert", "0.84.0", tf_keras=True,
        left_out=("tests/test_loader.py", "tests/test_util.py", "tests/datasets/test_get_pretrained.py",
                  "tests/test_bert.py::TestBERT::test_fit"),
    ),  # fmt: skip
    Package("keract", "4.5.2", "keract_example.py", True),
    Package("keras-tcn", "3.5.7", "tcn_example.py", True),
)
#: what the packages import of each other
BESIDE = ("keras-pos-embd==0.12.0", "keras-position-wise-feed-forward==0.7.0", "keras-embed-sim==0.9.0")


class Counts(NamedTuple):
    """How the tests of a package ended."""

    passed: int
    failed: int
    skipped: int


def pip(*arguments: str) -> None:
    """Run pip, without what packages depend on."""
    subprocess.run([sys.executable, "-m", "pip", arguments[0], "--quiet", "--no-deps", *arguments[1:]], check=True)


def fetched(folder: Path) -> Path:
    """The folder with the installed packages; that with their archives is beside it."""
    site, archives = folder / "site", folder / "archives"
    if not site.exists():
        names = [f"{p.name}=={p.version}" for p in PACKAGES]
        pip("install", "--target", str(site), *names, *BESIDE)
    for package in PACKAGES:
        if package.example is None and not (archives / f"{package.name}-{package.version}").exists():
            name = f"{package.name}=={package.version}"
            pip("download", "--no-binary", ":all:", "--dest", str(archives), name)
            with tarfile.open(next(archives.glob(f"{package.name}-{package.version}.tar.gz"))) as archive:
                archive.extractall(archives, filter="data")
    return site


def run(package: Package, engine: str, folder: Path, options: Sequence[str]) -> Counts:
    """The counts of the tests of a package on an engine; its output goes to a file of the folder."""
    site, report = folder / "site", folder / f"{package.name}.{engine}.xml"
    where = folder / "archives" / f"{package.name}-{package.version}"
    target = "tests" if package.example is None else str(HERE / package.example)
    paths = [str(HERE), str(site), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {
        "KBACKEND": engine, "KBACKEND_TEST_TF_KERAS": "1" if package.tf_keras else "0",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "hooked", "-p", "no:cacheprovider", "-W", "ignore",
               "--rootdir", str(where if where.exists() else folder), "--junit-xml", str(report),
               *(word for test in package.left_out for word in ("--deselect", test)), *options, target]  # fmt: skip
    report.unlink(missing_ok=True)
    with open(report.with_suffix(".log"), "wb") as log:
        subprocess.run(command, cwd=where if where.exists() else folder, env=env, stdout=log, stderr=log, check=False)
    if not report.exists():
        return Counts(0, 1, 0)
    suite = next(ElementTree.parse(report).iter("testsuite"))
    whole, bad, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "skipped"))
    bad += int(suite.get("errors", 0))
    return Counts(whole - bad - skipped, bad, skipped)


def main() -> int:
    """Print a line for each package and engine; 1 where a test failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engines", default="numpy", help="names of engines, with commas between them")
    parser.add_argument("--packages", default="", help="names of packages, with commas between them; all when empty")
    parser.add_argument("--folder", type=Path, help="where packages are kept; a new folder when it is not given")
    parser.add_argument("options", nargs="*", help="given to pytest")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kbackend-packages-")) if asked.folder is None else asked.folder.resolve()
    chosen = set(filter(None, asked.packages.split(",")))
    fetched(folder)
    failed = 0
    for package in PACKAGES:
        for engine in asked.engines.split(","):
            if chosen and package.name not in chosen:
                continue
            counts = run(package, engine, folder, asked.options)
            failed += counts.failed
            words = f"{counts.passed:3} passed {counts.failed:3} failed {counts.skipped:3} skipped"
            print(f"{package.name + ' ' + package.version:35} {engine:10} {words}", flush=True)
    if failed:
        print(f"the output of the tests is in {folder}")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
