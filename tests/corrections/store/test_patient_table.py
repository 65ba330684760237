from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.store.keys import patient_keys
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = (b"5" * 64, b"6" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "who.csv"


def test_rows_of_one_word_are_one_patient(path: Path) -> None:
    path.write_text(
        "patient,id,issuer,file\nA,0012345,North,\nA,ward 7,,\nA,00ff00ff00ff00ff,,\nB,,,pictures/b.png\n\nB,77,,\n"
    )
    table = read_patient_table(path)
    assert table.patients == ["A", "B"]
    assert table.patient_of(Identity("South\n12345"), ()) == table.patient_of(Identity("WARD-7"), ()) == "A"
    assert table.patient_of(Identity("123"), ()) is None
    assert table.patient_of(Identity(), (path.parent / "pictures" / "b.png",)) == "B"
    keys = table.keys_of("A", SECRETS)
    assert "00ff00ff00ff00ff" in keys
    for secret in SECRETS:
        assert patient_keys(secret, Identity("North\n0012345")) | patient_keys(secret, Identity("\nward 7")) <= keys


def test_a_spreadsheet_with_semicolons_is_read(path: Path) -> None:
    path.write_bytes("\ufeffID;Patient\r\n1,5;A\r\n".encode())
    assert read_patient_table(path).patient_of(Identity("15"), ()) == "A"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("patient,id\nA,7\nB,007\n", "007 is of two patients, A and B"),
        ("patient,file\nA,a.png\nB,./a.png\n", "a.png is of two patients"),
        ("patient,id\nA,ANONYMOUS\n", "Row 2: 'ANONYMOUS' identifies nobody; name the files instead"),
        ("patient,id\n,7\n", "Row 2 must name a patient, and an id or a file"),
        ("id\n7\n", "The column patient is missing"),
        ("patient,name\nA,7\n", "The column 'name' is not known; the columns are patient, id, issuer, file"),
        ("\n", "Not a CSV table with the columns patient"),
    ],
)
def test_what_is_no_such_table_is_told(path: Path, text: str, why: str) -> None:
    path.write_text(text)
    with pytest.raises(Refusal, match=r"who\.csv") as raised:
        read_patient_table(path)
    assert why in str(raised.value)
