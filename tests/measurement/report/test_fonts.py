"""Names in any script."""

from __future__ import annotations

import pytest

from napari_bonescint.measurement.report.fonts import is_spelled, marked_up


@pytest.mark.parametrize(
    "name", ["Müller Jörg", "Łukasz Żółć", "Иванов Пётр", "Παπαδόπουλος", "Nguyễn Thị Hồng", "x < y & z"]
)
def test_letters_of_europe_and_vietnam_are_in_the_usual_font(name):
    assert not is_spelled(name)
    assert marked_up(name) == name.replace("&", "&amp;").replace("<", "&lt;")


def test_japanese_and_chinese_have_fonts_of_their_own():
    assert marked_up("Yamada 山田") == 'Yamada <font name="Report-Wide">山田</font>'
    assert marked_up("张伟") == '<font name="STSong-Light">张伟</font>'
    assert not is_spelled("山田 やまだ 张伟")


def test_hebrew_is_set_from_right_to_left():
    name = '<font name="Report-Wide">{}</font>'
    assert marked_up("דוד כהן Dr") == f"{name.format('כהן'[::-1])} {name.format('דוד'[::-1])} Dr"


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("김민준", "Gim-Min-Jun"),
        ("محمد", "Meem-Hah-Meem-Dal"),
        ("A\u0e01b", "A-Kai-b"),
        ("\u0600\U0010fffd", "Sign"),
        ("\U0010fffd", "?"),
    ],
)
def test_other_scripts_are_spelled_with_latin_letters(name, spelled):
    assert is_spelled(name)
    assert marked_up(name) == spelled
