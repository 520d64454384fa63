"""The option ``--kbackend`` of pytest, registered by an entry point so that it is known before a test is collected.

It is imported by every run of pytest where kbackend is installed, so it imports nothing, and is not in
kbackend.testing, which imports much.
"""

from typing import Any


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("kbackend")
    group.addoption(
        "--kbackend",
        action="append",
        metavar="NAME",
        help="the backend that the conformance kit checks; may be given again (default: all installed)",
    )
