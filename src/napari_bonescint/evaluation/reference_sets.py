"""Sets of scans with known true regions, for scoring models."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import one_sentence
from napari_bonescint.files.names import inside
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import ViewName
from napari_bonescint.scan_edits import name_views, with_spacing
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import Split, read_splits, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

NOT_REPRODUCIBLE = "not reproducible by the reader (data not public)"

_INDEX_COLUMNS = {"stem", "file", "views", "spacing_mm"}


class ReferenceSetError(BonescintError):
    """A folder without scans to score on, or with files that do not fit its index."""


class Reference(NamedTuple):
    """One scan and its truth.

    Attributes
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        True region codes; 0 is background.
    name : str
        Name of the scan within its set; it contains no identity.
    patient : str
        Equal for scans of one patient.
    names_regions : bool
        False if `regions` holds only 0 (background) and 1 (bone).
    """

    scan: Scan
    regions: NDArray[np.uint8]
    name: str = ""
    patient: str = ""
    names_regions: bool = True


class ReferenceSet(Protocol):
    """A set of scans that models are scored on."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def is_simulated(self) -> bool:
        """True if any reader can simulate the set again from its seeds."""

    @property
    def origin(self) -> str:
        """Description of the scans in one phrase."""

    def sha256(self) -> str:
        """Hash of all data that a score depends on, hexadecimal."""

    def __len__(self) -> int:
        """Number of scans."""

    def __iter__(self) -> Iterator[Reference]:
        """The scans, loaded one after the other."""


@dataclass(frozen=True)
class SimulatedSet:
    """Simulated bodies, with counts drawn as a split requires.

    Attributes
    ----------
    split : Split
    paths : tuple of Path
        Files of `Case.save`, named case_SEED.npz.
    """

    split: Split
    paths: tuple[Path, ...]
    is_simulated = True

    @property
    def name(self) -> str:
        """The split's name."""
        return self.split.name

    @property
    def origin(self) -> str:
        """Description with seeds and total counts."""
        seeds = sorted(seed_of(path) for path in self.paths)
        lowest, highest = (f"{total / 1e6:g}" for total in self.split.total_counts)
        counts = lowest if lowest == highest else f"{lowest} to {highest}"
        return f"simulated, seeds {seeds[0]} to {seeds[-1]}, {counts} million counts"

    def sha256(self) -> str:
        """Hash of the files' names, their contents and the total counts."""
        return _hash(self.paths, list(self.split.total_counts))

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Reference]:
        for path in self.paths:
            case = Case.load(path)
            yield Reference(self.split.scan(case, seed_of(path)), case.regions, path.stem, path.stem)


@dataclass(frozen=True)
class ExternalSet:
    """The user's own scans, with reference masks.

    Attributes
    ----------
    folder : Path
        Folder of index.csv (columns stem, file, views such as ``anterior+posterior``, spacing_mm) and, for each row,
        the scan and STEM.reference.tif: region codes, uint8, (view, y, x), anterior first.
    rows : tuple of dict
        The rows of index.csv.
    """

    folder: Path
    rows: tuple[dict[str, str], ...]
    is_simulated = False

    @classmethod
    def read(cls, folder: Path) -> ExternalSet:
        """Read the index of a folder.

        Raises
        ------
        ReferenceSetError
            If the index is missing or empty.
        """
        index = folder / "index.csv"
        with one_sentence(
            lambda reason: ReferenceSetError(f"{index}: cannot be read ({reason}); it lists the scans of the set.")
        ):
            with index.open(encoding="utf-8", newline="") as file:
                rows = tuple(csv.DictReader(file, restval=""))
            for row in rows:
                for name in (row.get("file", ""), f"{row.get('stem', '')}.reference.tif"):
                    inside(folder, name)
        if not rows:
            raise ReferenceSetError(f"{index}: lists no scans to score on.")
        if missing := sorted(_INDEX_COLUMNS - set(rows[0])):
            raise ReferenceSetError(f"{index}: lacks the column {missing[0]}.")
        return cls(folder, rows)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def origin(self) -> str:
        """The statement that readers cannot reproduce the scores."""
        return NOT_REPRODUCIBLE

    def sha256(self) -> str:
        """Hash of the names and contents of the index, the scans and the masks."""
        paths = [path for row in self.rows for path in (self.folder / row["file"], self._mask(row))]
        return _hash([self.folder / "index.csv", *paths], [])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Reference]:
        for row in self.rows:
            scan = open_scan(self.folder / row["file"])
            # Facts in the scan's own file take precedence; the index may round a spacing.
            try:
                scan = name_views(scan, ViewName(row["views"].partition("+")[0]))
                spacing = float(row["spacing_mm"])
                scan = with_spacing(scan, (spacing, spacing))
            except ValueError as error:
                raise ReferenceSetError(
                    f"{self.folder / 'index.csv'}: {row['stem']}: {error}; views must be anterior, posterior or "
                    "anterior+posterior, and spacing_mm a number."
                ) from error
            regions = read_labels(self._mask(row)).masks
            if regions.shape != scan.counts.shape:
                raise ReferenceSetError(
                    f"{self._mask(row)}: has the shape {regions.shape}, its scan {scan.counts.shape}."
                )
            yield Reference(scan, regions, row["stem"], row["stem"])

    def _mask(self, row: dict[str, str]) -> Path:
        return self.folder / f"{row['stem']}.reference.tif"


def simulated_sets(folders: Iterable[Path]) -> list[SimulatedSet]:
    """Sort the cases in folders of case_SEED.npz into sets.

    Returns
    -------
    list of SimulatedSet
        One set for each split with cases to score on; then one set for each folder with seeds of no split, which has
        the folder's name and the counts of the test split.

    Raises
    ------
    ReferenceSetError
        If a folder holds no case to score on.
    """
    splits = read_splits()
    of_split: dict[str, list[Path]] = {name: [] for name in splits}
    others: list[SimulatedSet] = []
    for folder in folders:
        paths = sorted(folder.glob("case_*.npz"))
        other = [path for path in paths if not any(split.holds(seed_of(path)) for split in splits.values())]
        scored = {path for split in splits.values() for path in paths if seed_of(path) in split.seeds}
        if not other and not scored:
            raise ReferenceSetError(f"{folder}: holds no cases to score on; make some with `bonescint simulate`.")
        for name, split in splits.items():
            of_split[name] += [path for path in paths if seed_of(path) in split.seeds]
        if other:
            others.append(SimulatedSet(replace(splits["test"], name=folder.resolve().name), tuple(other)))
    return [SimulatedSet(splits[name], tuple(paths)) for name, paths in of_split.items() if paths] + others


def _hash(paths: Sequence[Path], settings: list[float]) -> str:
    total = hashlib.sha256(json.dumps(settings).encode())
    for path in paths:
        total.update(path.name.encode())
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ReferenceSetError(f"{path}: cannot be read ({error.strerror}).") from error
    return total.hexdigest()
