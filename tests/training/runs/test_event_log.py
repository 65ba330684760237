from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.training.runs.event_log import TrainingLog, read_events

if TYPE_CHECKING:
    from pathlib import Path


def test_a_reader_gets_each_event_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_events(path) == ([], 0)
    log = TrainingLog(path)
    log.append("progress", step=1, loss=0.5)
    log.append("note", text="Größe")
    events, offset = read_events(path)
    assert [(event["event"], event.get("step"), event.get("text")) for event in events] == [
        ("progress", 1, None),
        ("note", None, "Größe"),
    ]
    assert events[0]["time"] > 1e9
    assert read_events(path, offset) == ([], offset)
    log.append("progress", step=2, loss=0.4)
    assert [event["step"] for event in read_events(path, offset)[0]] == [2]


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = b'{"event": "progress", "step": 1}\n'
    path.write_bytes(whole + b'{"event": "pro')
    events, offset = read_events(path)
    assert [event["step"] for event in events] == [1]
    assert offset == len(whole)


def test_half_a_line_of_a_killed_training_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"event": "progress", "step": 1}\n{"event": "pro')
    TrainingLog(path).append("progress", step=2)
    assert [event["step"] for event in read_events(path)[0]] == [1, 2]


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"log\.jsonl: could not be written"):
        TrainingLog(tmp_path / "missing" / "log.jsonl").append("progress")
