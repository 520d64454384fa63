"""Registers the plugin of the kit, if the command line has not."""

from typing import Any


def pytest_configure(config: Any) -> None:
    config.pluginmanager.import_plugin("kbackend.testing.plugin")
