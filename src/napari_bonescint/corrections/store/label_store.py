"""The label store: a folder of scans, predictions and corrected masks, in which nothing is changed or deleted.

    STORE/
      store.json                    marks the folder as a label store; version of the layout
      secret                        secret for the keys; leave it out when you give the store to others
      index.json                    cache of the work list; may be deleted
      fit.json                      cache of the masks that are valid for training; may be deleted
      drafts/                       unsaved work
      patients/                     keys of the same patient, and the part of each patient
      cases/KEY/counts.tif          counts as acquired
      cases/KEY/case.json           views, spacing, keys of patient and study, encrypted hash of the counts
      cases/KEY/predictions/        masks of models: 0001.tif, 0001.probability.tif, 0001.json ...
      cases/KEY/revisions/          corrected masks: 0001.tif, 0001.json ...
      cases/KEY/hotspots/           hot spots and the decisions on them: 0001.tif, 0001.json ...

Each case, prediction and revision is complete or absent, also after a crash or on a full disk, and no writer waits for
a lock; `append_only` has the details, and the limits of network folders. The store has nothing that identifies a
patient: no name, identifier, date or path, and no text typed at the camera. It has the names and comments that
annotators type.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.errors import AddedOtherwise, StoreError, reachable
from napari_bonescint.corrections.store.case_files import CaseFiles
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.files.plane_files import planes_sha256, read_planes
from napari_bonescint.corrections.store.folder import make_store_folder, read_secrets, require_store_folder
from napari_bonescint.corrections.store.index import Index, case_keys, is_case_key, revisions_of
from napari_bonescint.corrections.store.keys import case_key, decrypt_hash, encrypt_hash, keys_of, source_key
from napari_bonescint.corrections.store.patients import FOLDER as PATIENTS
from napari_bonescint.corrections.store.patients import Patients, Register
from napari_bonescint.corrections.store.records.hot_spot_revision import (
    HotSpotRevision,
    add_hot_spots,
    read_hot_spots,
    require_hot_spots,
    revisions_of_hot_spots,
)
from napari_bonescint.corrections.store.records.prediction import add_prediction, last_prediction, read_prediction
from napari_bonescint.corrections.store.records.revision import Revision
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.formats.masks.label_tiff import encode_planes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.index import CaseSummary, Revisions
    from napari_bonescint.corrections.store.records.found_hot_spots import FoundPixels
    from napari_bonescint.corrections.store.records.hot_spot_revision import SpotDecision
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.corrections.store.records.revision import Origin
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_MASK = ".tif"


class LabelStore:
    """A label store; use `create` or `open`.

    All methods raise `StoreError` if the store cannot be reached or there is no such case, and `Damaged`, a kind of it,
    if a file is missing or damaged. Methods that write raise `CannotWrite` if the store is full, not writable or gone;
    nothing is written then.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cases = folder / "cases"
        self._index = Index(self._cases, folder / "index.json")

    @classmethod
    def create(cls, folder: Path) -> LabelStore:
        """Make a store in an empty or a new folder, and deny access to all but its owner.

        A system that cannot deny access is no error, see `folder.open_to_others`.
        """
        make_store_folder(folder)
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> LabelStore:
        """Open a store; raises `StoreError` if the folder is no store or of a newer layout."""
        require_store_folder(folder)
        return cls(folder)

    def add(self, scan: Scan, identity: Identity | None = None, *, same_as: Collection[str] = ()) -> str:
        """Add a scan, unless the store has it, and link it to its patient.

        Parameters
        ----------
        scan : Scan
            As opened.
        identity : Identity, optional
            Identity of the patient; without it, the scan counts as a new patient.
        same_as : collection of str
            More keys of the patient, see `patient_keys`; unknown keys are ignored.

        Returns
        -------
        str
            The key of the case.

        Raises
        ------
        AddedOtherwise
            If the same file was added with other views, another spacing or another orientation.
        """
        secrets, identity = read_secrets(self.folder), identity or Identity()
        keys = keys_of(secrets[0], scan, identity)
        key = self.find(scan)
        # Linked before the case exists, so that it is never trained on as another patient's.
        others = self.register.known_as(secrets, identity) | set(same_as)
        if key is not None:
            others.add(self.files(key).facts().patient_key)
        if same_as or identity.patient or identity.study:
            self.register.link(keys.patient, others)
        if key is None:
            key = keys.case
            self.files(key).create(scan, keys, encrypt_hash(secrets[0], key, planes_sha256(scan.counts)))
            self.register.enter(keys.patient, keys.study)
        contradictions = self.files(key).facts().contradictions(scan, self.image_sha256(key))
        if contradictions:
            raise AddedOtherwise(
                f"{scan.name}: is in the store already, as case {key}, with {' and '.join(contradictions)}; "
                "open that case instead."
            )
        return key

    @cached_property
    def register(self) -> Register:
        """The patients with scans in the store; read once, and updated by `add`."""
        return Register(self.patients(), self.cases())

    def patients(self) -> Patients:
        """The keys and the part of each patient, as recorded now."""
        return Patients(self.folder / PATIENTS)

    def find(self, scan: Scan) -> str | None:
        """The key of the case of this scan's file; None if the store has no such case."""
        return self._existing(case_key(secret, scan) for secret in read_secrets(self.folder))

    def find_file(self, source_sha256: str) -> str | None:
        """The key of the case of a file with this hash; None if the store has no such case."""
        return self._existing(source_key(secret, source_sha256) for secret in read_secrets(self.folder))

    def cases(self) -> list[CaseSummary]:
        """Summaries of all cases, by key, without the `damaged_cases`."""
        return self._index.summaries()

    @property
    def damaged_cases(self) -> dict[str, str]:
        """The reason for each damaged case, by its key; the last call of `cases` left them out."""
        return dict(self._index.damaged)

    def scan(self, case: str) -> Scan:
        """The scan of a case; its name is the key, and its source the folder of the case."""
        return self.files(case).scan()

    def image_sha256(self, case: str) -> str:
        """Hash of a case's counts, to recognise a scan in two stores; no file may contain it.

        Without the store's secret, it is computed from the counts.
        """
        files = self.files(case)
        facts = files.facts()
        if not facts.is_keyed:
            return facts.image
        with suppress(StoreError):
            for secret in read_secrets(self.folder):
                if (plain := decrypt_hash(secret, case, facts.image)) is not None:
                    return plain
        return planes_sha256(files.scan().counts)

    def revisions(self, case: str) -> list[Revision]:
        """The intact revisions of a case, in order."""
        return self.all_revisions(case).intact

    def all_revisions(self, case: str) -> Revisions:
        """The intact revisions of a case, and sentences about damaged ones."""
        return revisions_of(self.files(case))

    def save(
        self,
        case: str,
        regions: NDArray[np.uint8],
        origin: Origin,
        *,
        annotator: str,
        reviewed: bool,
        comment: str = "",
        names_regions: bool = True,
    ) -> Revision:
        """Add a revision; it is on the disk when this returns.

        Parameters
        ----------
        case : str
            Key of the case.
        regions : ndarray of uint8, shape (view, y, x)
            The mask: region codes, or 0 and 1.
        origin : Origin
            The mask that the work began with.
        annotator : str
            Must not be empty.
        reviewed : bool
            Whether the annotator has finished the mask.
        comment : str
        names_regions : bool
            False if 1 means bone of any region.
        """
        files = self.files(case)
        facts = files.facts()
        annotator = annotator.strip()
        if not annotator:
            raise StoreError("The annotator is missing; type your name to save.")
        if regions.dtype != np.uint8 or regions.shape != facts.shape:
            raise StoreError(
                f"The mask is {regions.dtype} of shape {regions.shape}; case {case} needs uint8 of shape {facts.shape}."
            )
        most = REGIONS[-1].code if names_regions else 1
        if regions.max(initial=0) > most:
            raise StoreError(f"The mask has the label {regions.max()}, which is no region; the last region is {most}.")
        revision = Revision(
            number=0,
            annotator=annotator,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            reviewed=reviewed,
            comment=comment,
            origin=origin,
            names_regions=names_regions,
            image_sha256=facts.image,
            mask_sha256=planes_sha256(regions),
        )
        parts = {_MASK: encode_planes(regions, facts.spacing)}
        return replace(revision, number=append_only.append(files.revisions, parts, revision.as_facts()))

    def regions(self, case: str, number: int) -> NDArray[np.uint8]:
        """The mask of a revision: uint8 of shape (view, y, x)."""
        files = self.files(case)
        revision = Revision.read(files.revisions, number)
        mask = append_only.part_of(files.revisions, number, _MASK)
        return read_planes(mask, files.facts().shape, revision.mask_sha256).astype(np.uint8, copy=False)

    def pixel_files(self, case: str, number: int) -> tuple[Path, Path]:
        """The files of a case's counts and of the mask of a revision, which never change."""
        files = self.files(case)
        return files.counts_path, append_only.part_of(files.revisions, number, _MASK)

    def save_hot_spots(
        self,
        case: str,
        labels: NDArray[np.uint16],
        spots: Iterable[SpotDecision],
        *,
        annotator: str,
        origin: Origin,
        mask: Origin,
        changed: Iterable[FoundPixels] = (),
    ) -> HotSpotRevision:
        """Add the hot spots of a case as a reader left them; they are on the disk when this returns.

        Parameters
        ----------
        case : str
            Key of the case.
        labels : ndarray of uint16, shape (view, y, x)
            Hot spots, numbered within a view from 1.
        spots : iterable of SpotDecision
            One for each hot spot.
        annotator : str
            Must not be empty.
        origin : Origin
            What the reader began with: the hot spots of a model, or an earlier revision of them.
        mask : Origin
            The mask of the bones that they were measured with.
        changed : iterable of FoundPixels
            Where the reader has changed the hot spots that were found.
        """
        files = self.files(case)
        facts = files.facts()
        annotator = annotator.strip()
        if not annotator:
            raise StoreError("The annotator is missing; type your name to save.")
        revision = HotSpotRevision(
            number=0,
            annotator=annotator,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            origin=origin,
            mask=mask,
            spots=tuple(spots),
            image_sha256=facts.image,
            labels_sha256="",
            changed=tuple(changed),
        )
        require_hot_spots(labels, facts.shape, revision, [view.name for view in facts.views])
        return add_hot_spots(files.hot_spots, labels, facts.spacing, revision)

    def hot_spot_revisions(self, case: str) -> list[HotSpotRevision]:
        """The intact revisions of the hot spots of a case, in order; none in cases of earlier versions."""
        return revisions_of_hot_spots(self.files(case).hot_spots)

    def hot_spots(self, case: str, number: int) -> NDArray[np.uint16]:
        """The hot spots of a revision of them: uint16 of shape (view, y, x)."""
        files = self.files(case)
        revision = HotSpotRevision.read(files.hot_spots, number)
        return read_hot_spots(files.hot_spots, revision, files.facts().shape)

    def add_prediction(self, case: str, segmentation: Segmentation) -> None:
        """Add a model's result for a case, unless the last prediction is of the same model."""
        files = self.files(case)
        facts = files.facts()
        last = last_prediction(files.predictions)
        if last is not None and last.model_sha256 == segmentation.model_sha256:
            return
        if segmentation.skeleton.shape != facts.shape:
            raise StoreError(f"The prediction has shape {segmentation.skeleton.shape}; case {case} has {facts.shape}.")
        add_prediction(files.predictions, segmentation, facts.spacing)

    def prediction(self, case: str) -> Prediction | None:
        """The last prediction for a case; None if there is none."""
        files = self.files(case)
        last = last_prediction(files.predictions)
        return None if last is None else read_prediction(files.predictions, last, files.facts().shape)

    def keys(self) -> list[str]:
        """Keys of all cases, in order."""
        return case_keys(self._cases)

    def files(self, case: str) -> CaseFiles:
        """The files of a case, which need not exist; raises `StoreError` if `case` is no key."""
        if not is_case_key(case):
            raise StoreError(f"{case}: is no key of a case; `bonescint store list {self.folder}` lists them.")
        return CaseFiles(self._cases / case)

    def _existing(self, keys: Iterable[str]) -> str | None:
        with reachable(self._cases):
            return next((key for key in keys if self.files(key).folder.exists()), None)
