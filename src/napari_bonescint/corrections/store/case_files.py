"""The files of one case: ``counts.tif``, ``case.json`` and the folders of predictions, revisions and hot spots."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - `facts.build` looks at the types
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.corrections.store.files.checksummed_json import known_facts, read_sealed, seal
from napari_bonescint.corrections.store.files.plane_files import Shape, planes_sha256, read_planes, salted
from napari_bonescint.files.atomic import sync_folder, write_bytes_atomically, writing
from napari_bonescint.files.facts import FactError, build
from napari_bonescint.formats.dicom.terms import reduced
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, Scan, Spacing, View, ViewSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from napari_bonescint.corrections.store.files.checksummed_json import Facts
    from napari_bonescint.corrections.store.keys import Keys


# For all views together; the readers refuse larger scans.
_MOST_PIXELS = 2 * 8192**2


@dataclass(frozen=True)
class CaseFacts:
    """The facts about a case.

    Attributes
    ----------
    patient_key, study_key : str
        Equal for scans of one patient or study.
    views : tuple of View
        One for each plane of the counts.
    shape : (int, int, int)
        Of the counts: (view, y, x).
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm.
    acquisition : mapping
        Acquisition parameters, without text typed by people, see `terms.reduced`.
    image : str
        Encrypted hash of the counts, see `keys.encrypt_hash`; the plain hash in cases of earlier versions.
    counts_sha256 : str
        Checksum of the file of the counts, see `plane_files.read_planes`.
    """

    patient_key: str
    study_key: str
    views: tuple[View, ...]
    shape: Shape
    spacing: Spacing | None
    acquisition: Mapping[str, str | int | float]
    image: str
    counts_sha256: str

    @property
    def is_keyed(self) -> bool:
        """Whether `image` is encrypted."""
        return self.image != self.counts_sha256

    @classmethod
    def of(cls, scan: Scan, keys: Keys, image: str, counts_sha256: str) -> CaseFacts:
        """The facts that the store keeps of a scan; without the secret, they reveal neither patient nor scan."""
        views, y, x = scan.counts.shape
        return cls(
            patient_key=keys.patient,
            study_key=keys.study,
            views=scan.views,
            shape=(views, y, x),
            spacing=scan.spacing,
            acquisition=reduced(scan.acquisition),
            image=image,
            counts_sha256=counts_sha256,
        )

    def as_json(self) -> Facts:
        """The content of ``case.json``."""
        return {
            "patient_key": self.patient_key,
            "study_key": self.study_key,
            "views": [view.as_json() for view in self.views],
            "shape": list(self.shape),
            "spacing_mm": None if self.spacing is None else list(self.spacing),
            "acquisition": dict(self.acquisition),
            "image_keyed_sha256": self.image,
            "counts_file_sha256": self.counts_sha256,
            "version": __version__,
        }

    @classmethod
    def from_json(cls, facts: Facts) -> CaseFacts:
        """Facts from the JSON of this version or an earlier one."""
        plain = facts.get("image_sha256")
        known = build(
            cls,
            {
                **facts,
                "spacing": facts["spacing_mm"],
                "image": facts["image_keyed_sha256"] if plain is None else plain,
                "counts_sha256": facts["counts_file_sha256"] if plain is None else plain,
            },
            unknown=True,
        )
        if min(known.shape) < 1 or math.prod(known.shape) > _MOST_PIXELS or len(known.views) != known.shape[0]:
            raise FactError(f"the shape is {known.shape}")
        if known.spacing is not None and min(known.spacing) <= 0:
            raise FactError(f"the spacing is {known.spacing}")
        return known

    def contradictions(self, scan: Scan, image_sha256: str) -> list[str]:
        """Differences of a scan from the case, as phrases; assumed views and an unknown spacing do not count.

        `image_sha256` is the plain hash of the case's counts, see `plane_files.planes_sha256`.
        """
        stated = [(own.name, view.name) for own, view in zip(self.views, scan.views, strict=False)]
        assumed = any(view.source is ViewSource.ASSUMED for view in scan.views)
        differs: dict[str, Any] = {
            "other counts, such as a mirrored view": planes_sha256(scan.counts) != image_sha256,
            "other views": not assumed and any(own is not view for own, view in stated),
            "another pixel spacing": scan.spacing is not None and scan.spacing != self.spacing,
        }
        return [phrase for phrase, differing in differs.items() if differing]


class CaseFiles:
    """The files of a case, in a folder named by its key. Methods that read raise `StoreError`.

    The folder `hot_spots` is made with its first record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revisions = folder / "revisions"
        self.predictions = folder / "predictions"
        self.hot_spots = folder / "hotspots"
        self.counts_path = folder / "counts.tif"
        self.facts_path = folder / "case.json"

    @property
    def key(self) -> str:
        """The key of the case."""
        return self.folder.name

    def facts(self) -> CaseFacts:
        """The facts about the case."""
        facts = read_sealed(self.facts_path)
        with self._known():
            return CaseFacts.from_json(facts)

    def scan(self) -> Scan:
        """The scan, with its counts as added; its name is the key."""
        facts = self.facts()
        warnings = []
        if any(view.source is ViewSource.ASSUMED for view in facts.views):
            warnings.append(VIEW_ASSUMED if len(facts.views) == 1 else VIEWS_ASSUMED)
        if facts.spacing is None:
            warnings.append(NO_SPACING)
        counts = read_planes(self.counts_path, facts.shape, facts.counts_sha256)
        with self._known():
            return Scan(
                counts=counts,
                views=facts.views,
                spacing=facts.spacing,
                acquisition=facts.acquisition,
                sources=(self.folder,),
                warnings=tuple(warnings),
            )

    def create(self, scan: Scan, keys: Keys, image: str) -> None:
        """Write the case, whole or not at all, unless another writer was first.

        Parameters
        ----------
        scan : Scan
        keys : Keys
        image : str
            Encrypted hash of the counts, see `keys.encrypt_hash`.

        Raises
        ------
        CannotWrite
            If the store is full or not writable.
        """
        counts = salted(scan.counts, scan.spacing)
        facts = CaseFacts.of(scan, keys, image, counts.sha256)
        with self.staged() as fresh:
            write_bytes_atomically(fresh.counts_path, counts.content)
            write_bytes_atomically(fresh.facts_path, seal(facts.as_json()))

    @contextmanager
    def staged(self) -> Iterator[CaseFiles]:
        """Make the folders of the case under a temporary name; at the end they move to their place, unless it is taken.

        Raises
        ------
        CannotWrite
            If the store is full or not writable.
        """
        cases = self.folder.parent
        with writing(cases):
            with TemporaryDirectory(prefix=".part-", dir=cases, ignore_cleanup_errors=True) as name:
                # One folder deeper, since the temporary one is closed to other users.
                fresh = CaseFiles(Path(name) / self.key)
                for folder in (fresh.folder, fresh.revisions, fresh.predictions):
                    folder.mkdir()
                yield fresh
                try:
                    fresh.folder.rename(self.folder)
                except OSError:
                    if not self.folder.exists():
                        raise
            sync_folder(cases)

    def _known(self) -> AbstractContextManager[None]:
        return known_facts(self.facts_path, "is no case")
