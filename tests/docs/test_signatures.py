"""The K namespace against the names and signatures that users of Keras know."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from support.places import SHARED

import kbackend
from kbackend import K

FILE = SHARED / "spec" / "k_namespace.tsv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the list of K's names is not beside the checkout")

#: functions with more parameters than Keras's, all of them after Keras's
LONGER = {"function"}


def wanted() -> dict[str, str]:
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()[1:]]
    return {name: signature for name, signature, _ in reversed(rows)}


def parameters(signature: str) -> list[tuple[str, object]]:
    namespace: dict[str, object] = {}
    exec(f"def f{signature}: pass", namespace)
    found = inspect.signature(namespace["f"]).parameters.values()  # type: ignore[arg-type]
    return [(p.name, p.default) for p in found if p.kind is not p.VAR_KEYWORD]


def test_every_name_is_there():
    assert not {name for name in wanted() if not hasattr(K, name)}


def test_the_readme_and_the_changelog_count_them():
    root = Path(__file__).parents[2]
    for file in ("README.md", "CHANGELOG.md"):
        assert f"all {len(wanted())} names" in (root / file).read_text(encoding="utf-8")


def test_signatures_have_the_names_the_order_and_the_defaults_of_keras():
    different = []
    for name, signature in wanted().items():
        ours = [(p.name, p.default) for p in inspect.signature(getattr(K, name)).parameters.values()]
        theirs = parameters(signature)
        same = ours[: len(theirs)] == theirs if name in LONGER else ours == theirs
        if not same:
            different.append(f"{name}{inspect.signature(getattr(K, name))}, Keras has {signature}")
    assert not different, "\n".join(different)


def test_k_is_one_module_under_two_names_and_answers_a_call():
    from kbackend import backend

    assert backend is K
    with kbackend.use_backend("numpy"):
        assert kbackend.backend() == K.backend() == "numpy"
