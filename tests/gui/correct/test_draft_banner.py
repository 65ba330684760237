"""The banner offers one draft at a time, says how many wait, and is gone when none does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_bonescint.corrections.store.drafts import Draft
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.correct.draft_banner import DraftBanner

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def draft(case: str, minute: int) -> Draft:
    when = f"2026-03-01T09:{minute:02d}:59+00:00"
    return Draft(case, "AB", when, Origin.empty(), np.zeros((2, 3, 4), np.uint8))


THREE = [draft(case, minute) for minute, case in enumerate(("aa", "bb", "cc"), start=7)]


@pytest.fixture
def banner(qtbot: QtBot) -> DraftBanner:
    banner = DraftBanner()
    qtbot.addWidget(banner)
    return banner


def asked_for(banner: DraftBanner, qtbot: QtBot) -> tuple[str, str]:
    """The cases that the two buttons speak of."""
    with qtbot.waitSignal(banner.open_requested) as opened:
        qtbot.mouseClick(banner.open_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(banner.discard_requested) as discarded:
        qtbot.mouseClick(banner.discard_button, Qt.MouseButton.LeftButton)
    return opened.args[0], discarded.args[0]


def test_it_is_hidden_until_a_draft_waits(banner: DraftBanner) -> None:
    assert not banner.isVisibleTo(None)
    banner.offer(iter(THREE[:1]))
    assert banner.isVisible()
    assert banner.text.text() == "You left unsaved work on aa, 2026-03-01 09:07 UTC."
    banner.offer([])
    assert not banner.isVisible()


def test_one_draft_after_the_other_is_offered(banner: DraftBanner, qtbot: QtBot) -> None:
    banner.offer(THREE)
    assert banner.text.text().endswith("on aa, 2026-03-01 09:07 UTC (2 more).")
    assert asked_for(banner, qtbot) == ("aa", "aa")
    # Asked for is not given up: that may fail, and whoever does it withdraws the offer then.
    assert banner.text.text().endswith("(2 more).")
    banner.withdraw("aa")
    assert banner.text.text() == "You left unsaved work on bb, 2026-03-01 09:08 UTC (1 more)."
    assert asked_for(banner, qtbot) == ("bb", "bb")
    banner.withdraw("cc")
    assert banner.text.text() == "You left unsaved work on bb, 2026-03-01 09:08 UTC."
    banner.withdraw("of another store")
    assert banner.isVisible()
    banner.withdraw("bb")
    assert not banner.isVisible()


def test_what_another_store_waits_with_replaces_the_offer(banner: DraftBanner, qtbot: QtBot) -> None:
    banner.offer(THREE)
    banner.offer(THREE[2:])
    assert asked_for(banner, qtbot) == ("cc", "cc")


def test_a_draft_is_named_as_the_annotator_knows_its_case(qtbot: QtBot) -> None:
    banner = DraftBanner({"aa": "march/007"}.__getitem__)
    qtbot.addWidget(banner)
    banner.offer(THREE[:1])
    assert banner.text.text() == "You left unsaved work on march/007, 2026-03-01 09:07 UTC."
