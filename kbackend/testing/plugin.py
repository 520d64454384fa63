"""The pytest plugin of the kit: parametrization over backends and ops, and the summary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from kbackend.plugin.contract import Target
from kbackend.plugin.gaps import MissingKernel
from kbackend.testing.counts import summary
from kbackend.testing.report import Report

#: the stash key of the names of the backends of a run
BACKENDS = pytest.StashKey[list[str]]()


def pytest_configure(config: Any) -> None:
    config.addinivalue_line("markers", "engine(*names): the test needs these engines")
    config.addinivalue_line(
        "markers", "row(*numbers): the rows of the table of semantics that the test shows"
    )
    config.addinivalue_line(
        "markers", "processor: the result of the test can depend on the instruction set of the processor"
    )


def kit_backends(config: Any) -> list[str]:
    """The names of the backends that are checked."""
    if BACKENDS not in config.stash:
        from kbackend import available_backends

        chosen = os.environ.get("KBACKEND")
        given = config.getoption("--kbackend", None) or ([chosen] if chosen else None)
        config.stash[BACKENDS] = given or available_backends()
    return config.stash[BACKENDS]


def kit_target(name: str) -> Target:
    """The backend on the device of the environment variable KBACKEND_DEVICE."""
    from kbackend.plugin.select import target

    return target(name, os.environ.get("KBACKEND_DEVICE"))


def pytest_generate_tests(metafunc: Any) -> None:
    names = metafunc.fixturenames
    if "kit_backend" in names and "kit_op" not in names:
        metafunc.parametrize("kit_backend", [_param(n, n) for n in kit_backends(metafunc.config)])
    elif "kit_backend" in names:
        metafunc.parametrize("kit_backend, kit_op, kit_group", _cases(metafunc))
    elif "kit_op" in names:
        from kbackend.testing.samples import all_ops, op_key, samples_of

        keys = [op_key(op) for op in all_ops() if samples_of(op)]
        metafunc.parametrize("kit_op", keys)


def _param(backend: str, name: str, *values: Any, marks: Sequence[Any] = ()) -> Any:
    return pytest.param(backend, *values, id=name, marks=[pytest.mark.engine(backend), *marks])


def _cases(metafunc: Any) -> list[Any]:
    """Parameters (backend, op, dtype) for every op with a sample in the dtype."""
    from kbackend.testing.samples import all_ops, groups, op_key
    from kbackend.testing.tolerances import is_computed

    return [
        _param(backend, f"{backend}-{op_key(op)}-{group}", op_key(op), group,
               marks=[pytest.mark.processor] if is_computed(op, group) else [])
        for backend in kit_backends(metafunc.config)
        for op in all_ops()
        for group in groups(op)
    ]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> Any:
    """Skip a test that needs a kernel which the backend declares missing, with the reason."""
    try:
        return (yield)
    except MissingKernel as error:
        if "kit_backend" in pyfuncitem.fixturenames and error.gap is not None:
            pytest.skip(str(error))
        raise


_reports: dict[str, Counter[str]] = {}


def count(backend: str, report: Report) -> None:
    """Add the counts of a report to the summary."""
    numbers = _reports.setdefault(backend, Counter())
    numbers.update(checked=report.checked, any_batch=report.any_batch, two_sizes=report.two_sizes)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _reports:
        return
    terminalreporter.section("kbackend conformance")
    for line in summary(_reports):
        terminalreporter.line(line)
