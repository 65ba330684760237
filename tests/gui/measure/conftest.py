from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _child_goes_on(request: pytest.FixtureRequest) -> None:
    """Hot spots are found in the child process, of which only the first test waits for the import of torch."""
    if "viewer" in request.fixturenames:
        request.getfixturevalue("kept_child")
