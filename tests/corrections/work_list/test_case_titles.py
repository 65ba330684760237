from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.corrections.work_list.case_titles import title_of
from napari_bonescint.corrections.work_list.queue import WorkItem
from napari_bonescint.corrections.work_list.record import remember
from napari_bonescint.formats.opening import collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "0123456789abcdef"


def test_a_case_has_its_name_as_title_unless_the_name_shows_the_patient(
    tmp_path: Path, write_nm: Callable[..., Path]
) -> None:
    for name in ("plain/wb_7.dcm", "jane/wb_8.dcm", "plain/doe_3h.dcm"):
        write_nm(f"scans/{name}", PatientName="Doe^Jane", StudyInstanceUID=f"1.{len(name)}.{name.count('w')}")
    items = {item.name: item for item in map(WorkItem, [None] * 3, collect([tmp_path / "scans"]).sources)}
    titles = {name: title_of(tmp_path, item, KEY) for name, item in items.items()}
    assert titles == {"plain/wb_7": "plain/wb_7", "jane/wb_8": "01234567", "plain/doe_3h": "01234567"}


def test_without_its_file_a_case_has_the_title_that_is_remembered(
    tmp_path: Path, write_nm: Callable[..., Path]
) -> None:
    file = write_nm("wb_7.dcm")
    (source,) = collect([file]).sources
    file.unlink()
    for item in (WorkItem(source=source), WorkItem(known_as="Doe")):
        assert title_of(tmp_path / "store", item, KEY) == "01234567"
    remember(tmp_path / "store", None, titles={KEY: "wb_7"})
    for item in (WorkItem(source=source), WorkItem(known_as="Doe")):
        assert title_of(tmp_path / "store", item, KEY) == "wb_7"
