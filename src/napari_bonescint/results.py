"""The result of one scan on disk: masks as TIFF and the facts about them as JSON.

The three files of a result are replaced as one. They are written into a temporary folder, and count from the moment in
which that folder gets the name that `Result` looks for. Whoever looks next moves them into their places, the facts
last: the process that wrote them or, if that was killed in this moment, one that comes later.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.atomic import UNFINISHED_FOLDER, CannotWrite, staged_folder, sync_folder
from napari_bonescint.errors import BonescintError
from napari_bonescint.facts import FactError, build, one_sentence, read_json
from napari_bonescint.formats.masks.label_tiff import encode_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_READY = ".bonescint-ready-"
_PARTS = (".skeleton.tif", ".regions.tif", ".json")
_SKELETON, _REGIONS, _FACTS = _PARTS


class ResultError(BonescintError):
    """A file stands where a result belongs, and is not the result of this scan."""


@dataclass(frozen=True)
class Recorded:
    """What a complete result says about itself.

    Attributes
    ----------
    masks : tuple of str
        Names of its masks.
    sources : tuple of str
        Names of the files that it was made from.
    source_sha256 : str
        `Scan.source_sha256` of the scan that it was made from.
    model : str
        Name of the model.
    model_sha256 : str
        Hash of the model's weights file.
    views : list of dict
        ``name``, ``source`` and ``flipped`` of each view.
    spacing_mm : list of float or None
        Pixel spacing (y, x).
    complete : bool
        Whether the masks are still there.
    seconds : float
        How long segmenting took.
    warnings : tuple of str
        About the scan and about segmenting it.
    run : str
        Name of the run that made it, where runs have names; see `batch.job.Settings`.
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
        """In what it differs from a result of `scan` by the model with this hash: phrases, none if in nothing."""
        now = _describe(scan)
        return [
            what
            for what, same in (
                (f"model {self.model}", self.model_sha256 == model_sha256),
                ("other views", self.views == now["views"]),
                ("another spacing", self.spacing_mm == now["spacing_mm"]),
            )
            if not same
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """Where the result of one scan is, or will be.

    Attributes
    ----------
    folder : Path
        The folder of its files.
    stem : str
        What their names begin with.
    """

    folder: Path
    stem: str

    @property
    def skeleton(self) -> Path:
        """Mask of bone: uint8 0 or 1, (view, y, x)."""
        return self.folder / f"{self.stem}{_SKELETON}"

    @property
    def regions(self) -> Path:
        """Region codes: uint8, (view, y, x); only there if the model names regions."""
        return self.folder / f"{self.stem}{_REGIONS}"

    @property
    def facts(self) -> Path:
        """What was segmented, with what and how. Comes last: where it is, the result is complete."""
        return self.folder / f"{self.stem}{_FACTS}"

    @property
    def _ready(self) -> Path:
        """A folder with the files of a whole new result; there only until they are in their places."""
        # Short, since the stem may be as long as the file system allows.
        stem = hashlib.sha256(os.fsencode(os.path.normcase(self.stem))).hexdigest()
        return self.folder / f"{_READY}{stem[:16]}"

    def recorded(self) -> Recorded | None:
        """What the result says about itself; None if there is none.

        Raises
        ------
        ResultError
            If the JSON file is not one that `write` made.
        """
        with one_sentence(
            lambda _reason: ResultError(
                f"{self.facts}: is there already and is no result of bonescint; move it, or choose another folder."
            ),
            unreadable=lambda reason: ResultError(f"{self.facts}: cannot be read ({reason})."),
        ):
            self._put_in_place()
            try:
                facts = read_json(self.facts, file_names=True)
            except FileNotFoundError:
                return None
            recorded = build(Recorded, facts, unknown=True, complete=False)
            if not set(recorded.masks) <= {self.skeleton.name, self.regions.name}:
                raise FactError("the masks are other files than those of the result")
            return replace(recorded, complete=all((self.folder / name).is_file() for name in recorded.masks))

    def write(self, scan: Scan, segmentation: Segmentation, *, run: str = "") -> None:
        """Write the masks and the facts, in place of a result that is there already.

        Whatever interrupts it, a power cut included, `recorded` then finds the old result or the new one as a whole.

        Parameters
        ----------
        scan : Scan
            What was segmented.
        segmentation : Segmentation
            Its masks, of the shape of the scan's counts.
        run : str
            Name of the run, if it has one.

        Raises
        ------
        CannotWrite
            If the folder is full or not writable.
        """
        masks = [self.skeleton.name] if segmentation.regions is None else [self.skeleton.name, self.regions.name]
        facts = {
            "masks": masks,
            **_describe(scan),
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
            # Empty where the model names no regions: those of the old result go away.
            _REGIONS: b"" if segmentation.regions is None else encode_labels(segmentation.regions, scan.spacing),
            _FACTS: (json.dumps(facts, indent=2) + "\n").encode(),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._replace_by(parts)
            sync_folder(self.folder)
        except OSError as error:
            raise CannotWrite(f"{self.folder}: cannot be written ({error.strerror or error}).") from error

    def _replace_by(self, parts: Mapping[str, bytes]) -> None:
        try:
            self._make_ready(parts)
        except OSError:
            # Another process took the new files for left behind (`clean_up`), or has just written this result, too.
            self._make_ready(parts)
        try:
            self._put_in_place()
        except OSError:
            if (self._ready / _SKELETON).exists():  # not even the first could be moved
                shutil.rmtree(self._ready, ignore_errors=True)
            raise

    def _make_ready(self, parts: Mapping[str, bytes]) -> None:
        """Write the files of a new result to the disk, and let them count."""
        self._put_in_place()  # those of a process that was killed
        with staged_folder(self.folder, parts) as whole:
            whole.rename(self._ready)

    def _put_in_place(self) -> None:
        """Move the files of a whole new result, if there is one, into their places, the facts last."""
        # A link is none of ours, and where it leads is nobody's business here.
        if not self._ready.is_dir() or self._ready.is_symlink():
            return
        for part in _PARTS:
            fresh, place = self._ready / part, self.folder / f"{self.stem}{part}"
            with suppress(FileNotFoundError):  # it has been moved already
                if fresh.stat().st_size:
                    fresh.replace(place)
                else:
                    place.unlink(missing_ok=True)
                    fresh.unlink()
        with suppress(OSError):  # others do this at the same time
            self._ready.rmdir()


def clean_up(folder: Path) -> None:
    """Take away what processes left in a folder of results that were killed before they had a result whole.

    A process that is writing there at this moment notices, and does so once more.

    Parameters
    ----------
    folder : Path
        Need not exist.
    """
    for left in folder.glob(f"{UNFINISHED_FOLDER}*"):
        with suppress(OSError):
            if left.is_symlink() or not left.is_dir():
                left.unlink()
            else:
                # Under another name, nobody adds to it what would then be all that is in it.
                gone = left.rename(folder / f"{UNFINISHED_FOLDER}{secrets.token_hex(8)}")
                shutil.rmtree(gone, ignore_errors=True)


def _describe(scan: Scan) -> dict[str, Any]:
    """What the facts say about the scan: no patient identity, and of its files only the names."""
    return {
        "sources": [path.name for path in scan.sources],
        "source_sha256": scan.source_sha256,
        "views": [asdict(view) for view in scan.views],
        "spacing_mm": None if scan.spacing is None else list(scan.spacing),
    }
