"""Each test fails in which anything, in this process or another that it starts, would have left this computer.

Python is watched everywhere (`local_only`); native code where the tests run without a network (`native`), as they do
with `make test` where the system allows it.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network_guard import local_only, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Guard:
    """What has been attempted and not been told yet."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._read = 0
        self.sees_native_code = native.is_isolated()
        self._counted = native.packets_without_way() if self.sees_native_code else 0

    def take(self) -> list[str]:
        """What was attempted since the last call."""
        lines = self._record.read_text().splitlines()
        fresh, self._read = lines[self._read :], len(lines)
        attempts = []
        for line in fresh:
            attempt = json.loads(line)
            calls = "".join(f"\n    {call}" for call in attempt["calls"])
            attempts.append(f"{attempt['what']}, by {' '.join(attempt['process'])}{calls}")
        if self.sees_native_code:
            counted = native.packets_without_way()
            if counted > self._counted:
                attempts.append(f"{counted - self._counted} packets of native code found no way out")
            self._counted = counted
        return attempts


_guard = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    descriptor, record = tempfile.mkstemp(prefix="bonescint-network-")
    os.close(descriptor)
    os.environ.update(local_only.environment(Path(record)))
    local_only.install()
    config.stash[_guard] = Guard(Path(record))
    config.add_cleanup(Path(record).unlink)


def pytest_report_header(config: pytest.Config) -> str:
    if getattr(config.option, "tx", None):
        return "network guard: each worker watches itself"
    seen = "Python and native code" if config.stash[_guard].sees_native_code else "Python only (see scripts/offline.sh)"
    return f"network guard: watches {seen}"


@pytest.fixture
def attempts(request: pytest.FixtureRequest) -> Callable[[], list[str]]:
    """Gives what would have left this computer since it was last asked; a test that asks does not fail for it."""
    return request.config.stash[_guard].take


@pytest.fixture(autouse=True)
def _nothing_leaves(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if attempts := request.config.stash[_guard].take():
        pytest.fail("would have left this computer: " + "\n".join(attempts), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if attempts := session.config.stash[_guard].take():
        print("\nwould have left this computer, after the tests:\n" + "\n".join(attempts))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
