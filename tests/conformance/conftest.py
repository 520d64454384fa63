"""Brings in the kit's plugin, for the engines of this project."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("kbackend.testing.plugin")
