from __future__ import annotations

from napari_bonescint.formats.left_out import LeftOut, by_reason


def test_reasons_come_with_their_numbers_the_most_frequent_first() -> None:
    assert by_reason({"Modality is CT.": 2, "The file is empty.": 5}) == ["5 x The file is empty", "2 x Modality is CT"]


def test_one_sentence_has_the_number_and_the_reasons() -> None:
    left_out = LeftOut({"Modality is CT.": 2, "The file is empty.": 1}, ("a.dcm: The file is damaged.",))
    assert (
        str(left_out) == "4 files were left out: a.dcm: The file is damaged; 2 x Modality is CT; 1 x The file is empty."
    )
    assert left_out.lines == ["a.dcm: The file is damaged.", "2 x Modality is CT.", "1 x The file is empty."]
    assert str(LeftOut({"Modality is CT.": 1})) == "1 file was left out: 1 x Modality is CT."
    many = LeftOut(dict.fromkeys("abcde", 1))
    assert str(many) == "5 files were left out: 1 x a; 1 x b; 1 x c; ..."


def test_of_nothing_there_is_nothing_to_say() -> None:
    assert (LeftOut().number, LeftOut().title, LeftOut().lines, str(LeftOut())) == (0, "", [], "")
