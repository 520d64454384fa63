"""Brings in the kit's plugin, for the engines of this project and no other backend that is installed."""

import pytest

import kbackend


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("kbackend.testing.plugin")
    from kbackend.testing.plugin import BACKENDS

    config.stash[BACKENDS] = [n for n in kbackend.available_backends() if n in ("numpy", "torch", "tensorflow")]
