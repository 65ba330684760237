"""Refusals are one sentence, here and in another process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal, sentence_of


@pytest.mark.parametrize(
    ("path", "name"), [(Path("ward", "scan.dcm"), "scan.dcm"), (Path("/"), "/"), (Path("ward", ".."), "..")]
)
def test_the_file_is_named_without_its_folders(path: Path, name: str) -> None:
    assert str(Refusal(path, "The file is empty.")) == f"{name}: The file is empty."


@pytest.mark.parametrize("kind", [Refusal, NotAPlanarScan])
def test_it_survives_the_way_from_another_process(kind: type[Refusal]) -> None:
    refusal = pickle.loads(pickle.dumps(kind(Path("a", "x.dcm"), "The file is empty.")))  # noqa: S301
    assert type(refusal) is kind
    assert str(refusal) == "x.dcm: The file is empty."
    assert (refusal.path, refusal.reason) == (Path("a", "x.dcm"), "The file is empty.")


def test_where_many_files_are_named_alike_their_folders_are_told() -> None:
    path = Path("export", "1", "IM0001")
    assert sentence_of(Refusal(path, "The file is empty.")) == f"{path}: The file is empty."
    assert sentence_of(BonescintError("Nothing was written.")) == "Nothing was written."
