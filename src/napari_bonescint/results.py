"""The result of one scan on disk: masks as TIFF files, and a JSON file that describes them, replaced together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from napari_bonescint import __version__
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.group import FileGroup
from napari_bonescint.formats.masks.label_tiff import encode_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

T = TypeVar("T")

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
        of_model = [] if self.model_sha256 == model_sha256 else [f"model {self.model}"]
        return of_model + scan_differences(scan, self.views, self.spacing_mm)


@dataclass(frozen=True, slots=True)
class Result:
    """The paths of one scan's result, in a folder and with names that begin with `stem`."""

    folder: Path
    stem: str

    @property
    def skeleton(self) -> Path:
        """Mask of bone: uint8 0 or 1, (view, y, x)."""
        return self._group.path(_SKELETON)

    @property
    def regions(self) -> Path:
        """Region codes: uint8, (view, y, x); the file exists only if the model names regions."""
        return self._group.path(_REGIONS)

    @property
    def facts(self) -> Path:
        """JSON file about scan, model and device; written last, so its existence means a complete result."""
        return self._group.main_path

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

        def checked(facts: object) -> Recorded:
            recorded = build(Recorded, facts, unknown=True, complete=False)
            if not set(recorded.masks) <= {self.skeleton.name, self.regions.name}:
                raise FactError("the masks are other files than those of the result")
            return replace(recorded, complete=all((self.folder / name).is_file() for name in recorded.masks))

        return read_recorded(self._group, checked, "is not a result")

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


def read_recorded(group: FileGroup, checked: Callable[[object], T], claim: str) -> T | None:
    """Read the main file of a group, which is JSON; None if it does not exist.

    Parameters
    ----------
    group : FileGroup
        Its new files, if there are any, are moved to their paths first.
    checked : callable
        Makes an object of the content, or raises any error.
    claim : str
        What is wrong with a file from which it cannot be made, such as ``is not a result``.

    Raises
    ------
    ResultError
        If the file cannot be read, or holds anything else.
    """
    path = group.main_path
    with one_sentence(
        lambda _: ResultError(f"{path}: exists already and {claim} of bonescint; move it, or choose another folder."),
        unreadable=lambda reason: ResultError(f"{path}: cannot be read ({reason})."),
    ):
        group.put_in_place()
        try:
            facts = read_json(path, file_names=True)
        except FileNotFoundError:
            return None
        return checked(facts)


def scan_differences(scan: Scan, views: list[dict[str, Any]], spacing_mm: list[float] | None) -> list[str]:
    """Phrases for the differences of a scan from these entries of a JSON file, see `describe_scan`; perhaps none."""
    now = describe_scan(scan)
    same = {"other views": views == now["views"], "another spacing": spacing_mm == now["spacing_mm"]}
    return [phrase for phrase, is_same in same.items() if not is_same]


def describe_scan(scan: Scan) -> dict[str, Any]:
    """The entries of a result's JSON file about the scan: no patient identity, and only the names of its files."""
    return {
        "sources": [path.name for path in scan.sources],
        "source_sha256": scan.source_sha256,
        "views": [view.as_json() for view in scan.views],
        "spacing_mm": None if scan.spacing is None else list(scan.spacing),
    }
