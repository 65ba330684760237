"""The files of one scan's measures, and how they are read back."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from measured_scans import some_measures
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.measurement.files import MeasuredMasks, MeasureFiles
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

NAMES = [f"scan.{ending}" for ending in ("hotspots.csv", "hotspots.tif", "measures.json", "regions.csv")]
MASKS = MeasuredMasks(("scan.regions.tif",), "ef56")


@pytest.fixture
def source(scan: Scan) -> Scan:
    return replace(scan, sources=(Path("/secret/ward/scan.dcm"),), source_sha256="ab12", warnings=("It is dim.",))


@pytest.fixture
def files(tmp_path: Path) -> MeasureFiles:
    return MeasureFiles(tmp_path / "new" / "folder", "scan")


def write(files: MeasureFiles, source: Scan, **named) -> None:
    files.write(source, some_measures(source), MASKS, seconds=0.4567, **named)


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_tables_image_and_facts_are_written(files: MeasureFiles, source: Scan) -> None:
    write(files, source, warnings=("The mask is small.",))
    assert sorted(path.name for path in files.folder.iterdir()) == NAMES
    heading, *rows = table(files.regions)
    assert ",".join(heading) == ("view,region,side,pixels,area_mm2,counts,mean_counts,share_of_counts,left_right_ratio")
    assert rows == [
        ["anterior", "skeleton", "", "900", "17820", "12345", "13.7167", "0.412", ""],
        ["anterior", "femur", "left", "100", "1980", "900", "9", "0.03", "0.9"],
        ["posterior", "sacrum", "", "40", "", "", "", "", ""],
    ]
    heading, *rows = table(files.hot_spots)
    assert ",".join(heading) == (
        "id,view,region,side,row,column,pixels,area_mm2,peak_ratio,mean_ratio,probability,suspicious,other_view_id"
    )
    assert rows == [
        ["1", "anterior", "femur", "left", "31.5", "21", "12", "237.6", "4.25", "3.1", "0.871", "true", "3"],
        ["3", "posterior", "sacrum", "", "40.5", "14.5", "20", "", "1.9", "1.5", "", "false", ""],
    ]
    labels = tifffile.imread(files.labels)
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels, some_measures(source).labels)
    facts = json.loads(files.facts.read_text(encoding="utf-8"))
    assert facts["about"] == RESEARCH_ONLY
    assert facts["sources"] == ["scan.dcm"]
    assert facts["models"] == {"tiny": "ab12", "hot-spots": "cd34"}
    assert facts["bone_scan_index"]["total"] == 1.8324
    assert facts["bone_scan_index"]["by_region"][0]["index"] == 1.8324
    assert facts["ratios"][1]["absent"] == "The sacrum is not in the image."
    assert facts["definitions"]["bone_scan_index"].startswith("Bone scan index = sum over regions of")
    assert "definition" not in facts["ratios"][0]
    assert facts["absent"] == {"area": "no spacing"}
    assert facts["warnings"] == ["It is dim.", "The mask is small.", "Dim."]
    assert facts["seconds"] == 0.457
    assert "ward" not in files.facts.read_text(encoding="utf-8")


def test_what_was_written_is_read_back(files: MeasureFiles, source: Scan) -> None:
    assert files.recorded() is None
    with pytest.raises(ResultError, match=r"scan\.measures\.json: does not exist; measure the scan first"):
        files.read()
    write(files, source)
    wanted, found = some_measures(source), files.read()
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert found.measures == replace(wanted.measures, warnings=("It is dim.", "Dim."))
    # Files of earlier versions have the definition of each ratio beside its value.
    facts = json.loads(files.facts.read_text(encoding="utf-8"))
    for entry, ratio in zip(facts["ratios"], wanted.measures.ratios, strict=True):
        entry["definition"] = ratio.definition
    facts["definitions"] = {}
    files.facts.write_text(json.dumps(facts), encoding="utf-8")
    assert files.read().measures == found.measures
    recorded = files.recorded()
    assert recorded is not None
    assert recorded.complete
    models = {"tiny": "ab12", "hot-spots": "cd34"}
    assert recorded.differences(source, "ef56", models) == []
    assert recorded.differences(replace(source, spacing=None), "0123", {}) == [
        "model tiny and hot-spots",
        "other masks",
        "another spacing",
    ]


def test_what_does_not_belong_together_or_is_damaged_is_refused(files: MeasureFiles, source: Scan) -> None:
    write(files, source)
    changed = some_measures(source).labels
    changed[0, 100, 50] = 7
    tifffile.imwrite(files.labels, changed)
    with pytest.raises(ResultError, match=r"scan\.hotspots\.tif: has other hot spots than scan\.measures\.json"):
        files.read()
    files.labels.write_bytes(b"no picture")
    with pytest.raises(Refusal, match="no TIFF"):
        files.read()
    files.labels.unlink()
    recorded = files.recorded()
    assert recorded is not None
    assert not recorded.complete


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"about": 1}', "\x00\xff"])
def test_a_json_file_of_somebody_else_is_refused(files: MeasureFiles, text: str) -> None:
    files.folder.mkdir(parents=True)
    files.facts.write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"exists already and holds no measures of bonescint; move it"):
        files.recorded()


@pytest.mark.parametrize("step", ["replace", "fsync"])
@pytest.mark.parametrize("number", range(4))
def test_an_interruption_leaves_the_old_measures_or_the_new_ones(
    files: MeasureFiles, source: Scan, step: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(files, source)
    old = {path.name: path.read_bytes() for path in files.folder.iterdir()}
    calling, calls = getattr(os, step), iter(range(99))

    def interrupted(*arguments, **named):
        if next(calls) == number:
            raise KeyboardInterrupt
        return calling(*arguments, **named)

    other = replace(source, spacing=(2.0, 2.0))
    with monkeypatch.context() as patch:
        patch.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(files, other)
    recorded = files.recorded()
    assert recorded is not None
    assert recorded.complete
    assert recorded.spacing_mm == ([2.0, 2.0] if step == "replace" else [4.5, 4.4])
    found = {path.name: path.read_bytes() for path in files.folder.iterdir()}
    assert sorted(found) == NAMES
    assert (found == old) == (step == "fsync")
