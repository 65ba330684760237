"""The result of one scan on disk: masks as TIFF and the facts about them as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.label_tiff import write_labels

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


class ResultError(BonescintError):
    """A file stands where a result belongs, and is not the result of this scan."""


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
    """

    sources: tuple[str, ...]
    source_sha256: str
    model: str
    model_sha256: str
    views: list[dict[str, Any]]
    spacing_mm: list[float] | None
    complete: bool

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


@dataclass(frozen=True)
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
        return self.folder / f"{self.stem}.skeleton.tif"

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

        Raises
        ------
        ResultError
            If the JSON file is not one that `write` made.
        """
        try:
            facts = json.loads(self.facts.read_bytes())
            return Recorded(
                sources=tuple(facts["sources"]),
                source_sha256=facts["source_sha256"],
                model=facts["model"],
                model_sha256=facts["model_sha256"],
                views=facts["views"],
                spacing_mm=facts["spacing_mm"],
                complete=all((self.folder / name).is_file() for name in facts["masks"]),
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ResultError(f"{self.facts}: cannot be read ({error.strerror or error}).") from error
        except (ValueError, TypeError, LookupError) as error:
            raise ResultError(
                f"{self.facts}: is there already and is no result of bonescint; move it, or choose another folder."
            ) from error

    def write(self, scan: Scan, segmentation: Segmentation) -> None:
        """Write the masks and the facts, in place of a result that is there already.

        If it fails or is interrupted, what was there before is still there.

        Parameters
        ----------
        scan : Scan
            What was segmented.
        segmentation : Segmentation
            Its masks, of the shape of the scan's counts.

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
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # All of it is written before any of it is put in place: a full disk leaves the old result as it was.
            with TemporaryDirectory(prefix=".bonescint-", dir=self.folder) as name:
                fresh = Result(Path(name), "new")
                for path, mask in masks.items():
                    write_labels(fresh.skeleton if path == self.skeleton else fresh.regions, mask, scan.spacing)
                write_bytes_atomically(fresh.facts, (json.dumps(facts, indent=2) + "\n").encode())
                self._replace_by(fresh)
        except OSError as error:
            raise CannotWrite(f"{self.folder}: cannot be written ({error.strerror or error}).") from error

    def _replace_by(self, fresh: Result) -> None:
        """Put another result's files in this one's place; the facts go first and come last."""
        self.facts.unlink(missing_ok=True)
        for old, new in ((self.skeleton, fresh.skeleton), (self.regions, fresh.regions), (self.facts, fresh.facts)):
            if new.exists():
                new.replace(old)
            else:
                old.unlink(missing_ok=True)


def _describe(scan: Scan) -> dict[str, Any]:
    """What the facts say about the scan: no patient identity, and of its files only the names."""
    return {
        "sources": [path.name for path in scan.sources],
        "source_sha256": scan.source_sha256,
        "views": [asdict(view) for view in scan.views],
        "spacing_mm": None if scan.spacing is None else list(scan.spacing),
    }
