from __future__ import annotations

from copy import copy

import pytest

from napari_bonescint.notices import Notice, Remedy, on_command_line


def test_a_notice_is_its_sentence_and_keeps_its_remedy_between_processes() -> None:
    notice = Notice("The view is mirrored.", Remedy.MIRROR, "posterior")
    assert notice == "The view is mirrored."
    again = copy(notice)  # as pickle does, by which processes exchange it
    assert (again, again.remedy, again.view) == (notice, Remedy.MIRROR, "posterior")
    named = notice.about("scan 1")
    assert (named, named.remedy, named.view) == ("scan 1: The view is mirrored.", Remedy.MIRROR, "posterior")
    assert Notice.of(notice) is notice
    assert Notice.of("Only told.").remedy is None


@pytest.mark.parametrize(
    ("notice", "printed"),
    [
        (Notice("Split it.", Remedy.SPLIT_SIDES), "Split it. Option: --split-sides."),
        (Notice("Invert it.", Remedy.INVERT), "Invert it."),
        ("Only told.", "Only told."),
    ],
)
def test_the_command_line_names_the_option_where_there_is_one(notice: str, printed: str) -> None:
    assert on_command_line(notice) == printed
    assert type(on_command_line(notice)) is str
