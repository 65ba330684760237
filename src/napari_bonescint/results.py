"""The result of one scan on disk: masks as TIFF and the facts about them as JSON."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.facts import FactError, build, one_sentence, read_json
from napari_bonescint.formats.masks.label_tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


UNFINISHED = ".bonescint-"
"""With this begin the names of what lies in a folder of results only while they are being made."""

_SKELETON = ".skeleton.tif"
_NEW = "new"
_IN_USE_SECONDS = 3600


class ResultError(BonescintError):
    """A file stands where a result belongs, and is not the result of this scan."""


@dataclass(frozen=True)
class _Masks:
    """Names of the masks that facts speak of."""

    masks: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """What a complete result says about itself.

    Attributes
    ----------
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
        return self.folder / f"{self.stem}.regions.tif"

    @property
    def facts(self) -> Path:
        """What was segmented, with what and how. Written last: where it is, the result is complete."""
        return self.folder / f"{self.stem}.json"

    def recorded(self) -> Recorded | None:
        """What the result says about itself; None if there is none, or if writing it was cut off.

        Where a process was killed while it put a result in its place, the rest is put there first.

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
            try:
                facts = read_json(self.facts, file_names=True)
            except FileNotFoundError:
                return self.recorded() if self._finish_writing() else None
            masks = self._masks(facts)
            complete = all((self.folder / name).is_file() for name in masks)
            return build(Recorded, facts, unknown=True, complete=complete)

    def write(self, scan: Scan, segmentation: Segmentation, *, run: str = "") -> None:
        """Write the masks and the facts, in place of a result that is there already.

        If it fails or is interrupted, what was there before is still there. If the process is killed in the moment in
        which the files are put in their places, `recorded` finishes that.

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
        masks = {self.skeleton: segmentation.skeleton}
        if segmentation.regions is not None:
            masks[self.regions] = segmentation.regions
        facts = {
            "masks": [mask.name for mask in masks],
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
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # All of it is written before any of it is put in place: a full disk leaves the old result as it was.
            with TemporaryDirectory(prefix=UNFINISHED, dir=self.folder) as name:
                fresh = Result(Path(name), _NEW)
                for path, mask in masks.items():
                    write_labels(fresh.skeleton if path == self.skeleton else fresh.regions, mask, scan.spacing)
                write_bytes_atomically(fresh.facts, (json.dumps(facts, indent=2) + "\n").encode())
                self.facts.unlink(missing_ok=True)
                self._replace_by(fresh, facts["masks"])
        except OSError as error:
            raise CannotWrite(f"{self.folder}: cannot be written ({error.strerror or error}).") from error

    def _masks(self, facts: object) -> tuple[str, ...]:
        """The names of the masks that facts speak of; `FactError` if they are other files than a result has."""
        masks = build(_Masks, facts, unknown=True).masks
        if not set(masks) <= {self.skeleton.name, self.regions.name}:
            raise FactError("the masks are other files than those of the result")
        return masks

    def _replace_by(self, fresh: Result, masks: Collection[str]) -> None:
        """Put another result's files in this one's place, the facts last; those with no name in `masks` go away."""
        for old, new in ((self.skeleton, fresh.skeleton), (self.regions, fresh.regions)):
            if old.name not in masks:
                old.unlink(missing_ok=True)
            elif new.exists():
                new.replace(old)
        fresh.facts.replace(self.facts)

    def _finish_writing(self) -> bool:
        """Finish what a process that was killed had begun: put a whole result in its place. Whether there was one."""
        in_place = [mask for mask in (self.skeleton, self.regions) if mask.exists()]
        for folder in sorted(self.folder.glob(f"{UNFINISHED}*/")) if in_place else []:
            fresh = Result(folder, _NEW)
            with suppress(Exception):  # cut off before the result was whole, or the result of another scan
                if any(path.is_symlink() for path in (folder, *folder.iterdir())):
                    continue
                # The facts are written after the masks; a mask that is younger was changed by someone since.
                written = fresh.facts.stat().st_mtime_ns
                masks = self._masks(read_json(fresh.facts, file_names=True))
                if self.skeleton.name in masks and all(mask.stat().st_mtime_ns <= written for mask in in_place):
                    self._replace_by(fresh, masks)
                    shutil.rmtree(folder, ignore_errors=True)
                    return True
        return False


def clean_up(folder: Path) -> None:
    """Take away what processes left in a folder of results that were killed while they wrote; finish what can be.

    Parameters
    ----------
    folder : Path
        Need not exist. What is younger than an hour may be in use, and stays.
    """
    with suppress(OSError):
        for left in folder.glob(f"{UNFINISHED}*"):
            if time.time() - left.lstat().st_mtime < _IN_USE_SECONDS:
                continue
            # A link is no folder of ours, and where it leads is nobody's business here.
            if left.is_symlink() or not left.is_dir():
                left.unlink()
                continue
            with suppress(Exception):  # whatever lies there, it goes away
                mask = build(_Masks, read_json(Result(left, _NEW).facts, file_names=True), unknown=True).masks[0]
                stem = mask.removesuffix(_SKELETON)
                if stem and PurePosixPath(stem).name == PureWindowsPath(stem).name == stem:
                    Result(folder, stem).recorded()
            shutil.rmtree(left, ignore_errors=True)


def _describe(scan: Scan) -> dict[str, Any]:
    """What the facts say about the scan: no patient identity, and of its files only the names."""
    return {
        "sources": [path.name for path in scan.sources],
        "source_sha256": scan.source_sha256,
        "views": [asdict(view) for view in scan.views],
        "spacing_mm": None if scan.spacing is None else list(scan.spacing),
    }
