"""The result of one scan on disk: masks as TIFF files, and a JSON file that describes them, replaced together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.group import FileGroup
from napari_bonescint.formats.masks.label_tiff import encode_labels

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_READY = ".bonescint-ready-"
_PARTS = (".skeleton.tif", ".regions.tif", ".json")
_SKELETON, _REGIONS, _FACTS = _PARTS


class ResultError(BonescintError):
    """A file at the path of a result that is not the result of this scan."""


@dataclass(frozen=True)
class Recorded:
    """The content of a result's JSON file.

    Attributes
    ----------
    masks : tuple of str
        Names of the mask files.
    sources : tuple of str
        Names of the scan's files.
    source_sha256 : str
        `Scan.source_sha256` of the scan.
    model : str
        Name of the model.
    model_sha256 : str
        Hash of the model's weights file.
    views : list of dict
        ``name``, ``source`` and ``flipped`` of each view.
    spacing_mm : list of float or None
        Pixel spacing (y, x).
    complete : bool
        True if all masks exist.
    seconds : float
        Duration of segmenting.
    warnings : tuple of str
        Warnings about the scan and the segmentation.
    run : str
        Name of the run that made the result, or empty; see `batch.job.Settings`.
    """

    masks: tuple[str, ...]
    sources: tuple[str, ...]
    source_sha256: str
    model: str
    model_sha256: str
    views: list[dict[str, Any]]
    spacing_mm: list[float] | None
    complete: bool
    seconds: float
    warnings: tuple[str, ...]
    run: str = ""

    def differences(self, scan: Scan, model_sha256: str) -> list[str]:
        """Phrases for the differences from a result of `scan` by the model with this hash; perhaps none."""
        now = describe_scan(scan)
        return [
            phrase
            for phrase, same in (
                (f"model {self.model}", self.model_sha256 == model_sha256),
                ("other views", self.views == now["views"]),
                ("another spacing", self.spacing_mm == now["spacing_mm"]),
            )
            if not same
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """The paths of one scan's result, in a folder and with names that begin with `stem`."""

    folder: Path
    stem: str

    @property
    def skeleton(self) -> Path:
        """Mask of bone: uint8 0 or 1, (view, y, x)."""
        return self.folder / f"{self.stem}{_SKELETON}"

    @property
    def regions(self) -> Path:
        """Region codes: uint8, (view, y, x); the file exists only if the model names regions."""
        return self.folder / f"{self.stem}{_REGIONS}"

    @property
    def facts(self) -> Path:
        """JSON file about scan, model and device; written last, so its existence means a complete result."""
        return self.folder / f"{self.stem}{_FACTS}"

    @property
    def _group(self) -> FileGroup:
        return FileGroup(self.folder, self.stem, _PARTS, _READY)

    def recorded(self) -> Recorded | None:
        """Read the JSON file; None if the result does not exist.

        Raises
        ------
        ResultError
            If the JSON file is not a file of `write`.
        """
        with one_sentence(
            lambda _reason: ResultError(
                f"{self.facts}: exists already and is not a result of bonescint; move it, or choose another folder."
            ),
            unreadable=lambda reason: ResultError(f"{self.facts}: cannot be read ({reason})."),
        ):
            self._group.put_in_place()
            try:
                facts = read_json(self.facts, file_names=True)
            except FileNotFoundError:
                return None
            recorded = build(Recorded, facts, unknown=True, complete=False)
            if not set(recorded.masks) <= {self.skeleton.name, self.regions.name}:
                raise FactError("the masks are other files than those of the result")
            return replace(recorded, complete=all((self.folder / name).is_file() for name in recorded.masks))

    def write(self, scan: Scan, segmentation: Segmentation, *, run: str = "") -> None:
        """Write masks and JSON file, and replace an existing result.

        After any interruption, even a power failure, `recorded` finds either the old or the new result, complete.

        Parameters
        ----------
        scan : Scan
            The segmented scan.
        segmentation : Segmentation
            Its masks, with the shape of the scan's counts.
        run : str
            Name of the run, or empty.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder not writable.
        """
        masks = [self.skeleton.name] if segmentation.regions is None else [self.skeleton.name, self.regions.name]
        facts = {
            "masks": masks,
            **describe_scan(scan),
            "model": segmentation.model,
            "model_sha256": segmentation.model_sha256,
            "device": segmentation.device,
            "device_reason": segmentation.device_reason,
            "backend": segmentation.backend,
            "seconds": round(segmentation.seconds, 3),
            "warnings": [*scan.warnings, *segmentation.warnings],
            "version": __version__,
            **({"run": run} if run else {}),
        }
        parts = {
            _SKELETON: encode_labels(segmentation.skeleton, scan.spacing),
            # Empty if the model names no regions, which deletes those of an old result.
            _REGIONS: b"" if segmentation.regions is None else encode_labels(segmentation.regions, scan.spacing),
            _FACTS: (json.dumps(facts, indent=2) + "\n").encode(),
        }
        self._group.replace(parts)


def describe_scan(scan: Scan) -> dict[str, Any]:
    """The entries of a result's JSON file about the scan: no patient identity, and only the names of its files."""
    return {
        "sources": [path.name for path in scan.sources],
        "source_sha256": scan.source_sha256,
        "views": [view.as_json() for view in scan.views],
        "spacing_mm": None if scan.spacing is None else list(scan.spacing),
    }
