from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from reported import draw_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reported import Drawn


@pytest.fixture
def draw(write_nm) -> Callable[..., Drawn]:
    """Draws a scan, see `reported.draw_scan`."""
    return partial(draw_scan, write_nm)
