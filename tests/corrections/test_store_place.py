from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store_place import Place, name_inside, place

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_a_store_or_free_or_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_bytes(b"of the desktop")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    store = LabelStore.create(tmp_path / "store").folder
    found = [place(folder) for folder in (store, tmp_path / "empty", tmp_path / "new", tmp_path / "photos")]
    assert found == [Place.STORE, Place.FREE, Place.FREE, Place.TAKEN]
    assert place(tmp_path / "gone" / "new") is Place.NO_FOLDER
    assert place(tmp_path / "photos" / "cat.png") is Place.NO_FOLDER


def test_a_name_in_a_folder_is_free_or_that_of_a_store(tmp_path: Path) -> None:
    assert name_inside(tmp_path) == "label store"
    LabelStore.create(tmp_path / "label store")
    assert name_inside(tmp_path) == "label store"
    other = tmp_path / "photos" / "label store"
    other.mkdir(parents=True)
    (other / "cat.png").write_bytes(b"cat")
    assert name_inside(tmp_path / "photos") == "label store 2"
