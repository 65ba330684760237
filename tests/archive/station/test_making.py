"""The results of a scan that go back to an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.archive.station.making import ScanResults
from napari_bonescint.formats.opening import collect
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_the_model_for_hot_spots_measures_and_is_named(
    make_model: Callable[..., ModelCard], write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    bones, spots = make_model(), make_model("spots", "hot-spot-u-net", 3, purpose=FINDING_HOT_SPOTS)
    (source,) = collect([write_nm()]).sources
    texts = {}
    for card in (spots, None):
        make = ScanResults(bones, "cpu", measures=True, hot_spots=card)
        folder = tmp_path / make.name
        folder.mkdir()
        (report,) = [path for path in make(source, folder) if path.name == "scan.sr.dcm"]
        texts[make.name] = report.read_bytes()
    by_model, by_thresholds = texts
    assert spots.weights_sha256 in by_model
    assert spots.weights_sha256.encode() in texts[by_model]
    assert by_thresholds == f"{bones.weights_sha256} thresholds measured"
    assert spots.weights_sha256.encode() not in texts[by_thresholds]
