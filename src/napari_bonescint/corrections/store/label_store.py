"""A folder of scans and of what people and models made of them, that is only ever added to.

    STORE/
      store.json                    what this folder is, and the version of its layout
      secret                        with which keys are made; whoever passes the store on leaves it out
      index.json                    a cache of what a work list shows; may be deleted
      fit.json                      a cache of which masks were found fit to learn from; may be deleted
      drafts/                       unsaved work
      patients/                     which keys are one patient, and what each patient is for
      cases/KEY/counts.tif          the counts as acquired
      cases/KEY/case.json           views, spacing, keys of patient and study, keyed hash of the counts
      cases/KEY/predictions/        what models said: 0001.tif, 0001.probability.tif, 0001.json ...
      cases/KEY/revisions/          what people made of it: 0001.tif, 0001.json ...

A case, a prediction and a revision are each there as a whole or not at all, whoever is killed or runs out of space, and
nobody waits for a lock; `append_only` says how, and what holds on network folders. Nothing in the store says whose scan
it is: no name, identifier, date or path, and no text that people typed at the camera; comments and names of annotators
are what annotators type.
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
from napari_bonescint.corrections.store import append_only
from napari_bonescint.corrections.store.case_files import CaseFiles
from napari_bonescint.corrections.store.folder import (
    make_store_folder,
    read_secrets,
    require_store_folder,
)
from napari_bonescint.corrections.store.index import Index, case_keys, is_case_key, revisions_of
from napari_bonescint.corrections.store.keys import case_key, keys_of, source_key, unveil, veil
from napari_bonescint.corrections.store.patients import FOLDER as PATIENTS
from napari_bonescint.corrections.store.patients import Patients, Register
from napari_bonescint.corrections.store.plane_files import planes_sha256, read_planes
from napari_bonescint.corrections.store.prediction import add_prediction, last_prediction, read_prediction
from napari_bonescint.corrections.store.revision import Revision
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.formats.masks.label_tiff import encode_planes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.index import CaseSummary, Revisions
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.corrections.store.revision import Origin
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_MASK = ".tif"


class LabelStore:
    """A label store; made with `create`, opened with `open`.

    Attributes
    ----------
    folder : Path
        Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cases = folder / "cases"
        self._index = Index(self._cases, folder / "index.json")

    @classmethod
    def create(cls, folder: Path) -> LabelStore:
        """Make a store in a folder that is empty or does not exist, and close it to all but its owner.

        Where the system cannot close it, it is made all the same, see `folder.open_to_others`.

        Raises
        ------
        StoreError
            If there is something in the folder, or it cannot be looked into.
        CannotWrite
            If it cannot be written to.
        """
        make_store_folder(folder)
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> LabelStore:
        """Open a store.

        Raises
        ------
        StoreError
            If the folder is none, is of a newer layout, or cannot be reached.
        """
        require_store_folder(folder)
        return cls(folder)

    def add(self, scan: Scan, identity: Identity | None = None, *, same_as: Collection[str] = ()) -> str:
        """Add a scan, unless it is there already, and recognise whose it is.

        Parameters
        ----------
        scan : Scan
            As opened.
        identity : Identity, optional
            Whose it is, to keep a patient's scans together; without it the scan is taken as a patient of its own.
        same_as : collection of str
            Keys under which the patient is known besides, see `patient_keys`; those of nobody in the store do no harm.

        Returns
        -------
        str
            The key of its case.

        Raises
        ------
        AddedOtherwise
            If the same file was added with other views, another spacing or another side mirrored.
        StoreError
            If the store cannot be reached, or its secret is missing.
        CannotWrite
            If the store is full, not writable or gone.
        """
        secrets, identity = read_secrets(self.folder), identity or Identity()
        keys = keys_of(secrets[0], scan, identity)
        key = self.find(scan)
        # Before there is a case: none must be trained on as a stranger's.
        others = self.register.known_as(secrets, identity) | set(same_as)
        if key is not None:
            others.add(self.files(key).facts().patient_key)
        if same_as or identity.patient or identity.study:
            self.register.link(keys.patient, others)
        if key is None:
            key = keys.case
            self.files(key).create(scan, keys, veil(secrets[0], key, planes_sha256(scan.counts)))
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
        """Who has scans in the store, and who is the same; read once, and kept up to date by `add`.

        Raises
        ------
        StoreError
            If the store cannot be reached, or a record of a patient is damaged.
        """
        return Register(self.patients(), self.cases())

    def patients(self) -> Patients:
        """Which keys are one patient, and what each patient is for, as recorded now.

        Raises
        ------
        StoreError
            If the store cannot be reached, or a record of a patient is damaged.
        """
        return Patients(self.folder / PATIENTS)

    def find(self, scan: Scan) -> str | None:
        """The key of the case that was made of this scan's file; None if there is none.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its secret is missing.
        """
        return self._existing(case_key(secret, scan) for secret in read_secrets(self.folder))

    def find_file(self, source_sha256: str) -> str | None:
        """The key of the case that was made of a file with this hash; None if there is none.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its secret is missing.
        """
        return self._existing(source_key(secret, source_sha256) for secret in read_secrets(self.folder))

    def cases(self) -> list[CaseSummary]:
        """What a work list shows of every case, by key; `damaged_cases` tells which are left out.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return self._index.summaries()

    @property
    def damaged_cases(self) -> tuple[str, ...]:
        """Keys of cases that `cases` left out when it was last called, because the facts about them are damaged."""
        return tuple(self._index.damaged)

    def scan(self, case: str) -> Scan:
        """The scan of a case; its name is the key, and its source the folder of the case.

        Raises
        ------
        StoreError
            If there is no such case, a file is damaged, or it cannot be reached.
        """
        return self.files(case).scan()

    def image_sha256(self, case: str) -> str:
        """Plain hash of a case's counts, by which the same scan is recognised in two stores; for no file to keep.

        Without the store's secret, the counts are read for it.

        Raises
        ------
        StoreError
            If there is no such case, a file is damaged, or it cannot be reached.
        """
        files = self.files(case)
        facts = files.facts()
        if not facts.is_keyed:
            return facts.image
        with suppress(StoreError):
            for secret in read_secrets(self.folder):
                if (plain := unveil(secret, case, facts.image)) is not None:
                    return plain
        return planes_sha256(files.scan().counts)

    def revisions(self, case: str) -> list[Revision]:
        """The revisions of a case in order, without those whose facts are damaged; `all_revisions` names these.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return self.all_revisions(case).intact

    def all_revisions(self, case: str) -> Revisions:
        """The revisions of a case, and what is wrong with those that are damaged.

        Raises
        ------
        Damaged
            If none can be had.
        StoreError
            If the store cannot be reached.
        """
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
        """Add a revision; when this returns, it is on the disk.

        Parameters
        ----------
        case : str
            Key of the case.
        regions : ndarray of uint8, shape (view, y, x)
            The mask: region codes, or 0 and 1.
        origin : Origin
            What it was made from.
        annotator : str
            Who made it.
        reviewed : bool
            Whether the annotator calls it finished.
        comment : str
            What the annotator has to say.
        names_regions : bool
            False if 1 means bone, whichever.

        Raises
        ------
        StoreError
            If the mask does not fit the case, nobody is named, or a file cannot be reached; nothing was saved.
        CannotWrite
            If the store is full, not writable or gone; nothing was saved.
        """
        files = self.files(case)
        facts = files.facts()
        annotator = annotator.strip()
        if not annotator:
            raise StoreError("Nobody is named as annotator; type a name to save under.")
        if regions.dtype != np.uint8 or regions.shape != facts.shape:
            raise StoreError(
                f"The mask is {regions.dtype} of shape {regions.shape}; case {case} needs uint8 of shape {facts.shape}."
            )
        most = REGIONS[-1].code if names_regions else 1
        if regions.max(initial=0) > most:
            raise StoreError(f"The mask holds the number {regions.max()}, which is no region; the last is {most}.")
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
        """The mask of a revision: uint8 of shape (view, y, x).

        Raises
        ------
        StoreError
            If there is no such revision, it is damaged, or it cannot be reached.
        """
        files = self.files(case)
        revision = Revision.read(files.revisions, number)
        mask = append_only.part_of(files.revisions, number, _MASK)
        return read_planes(mask, files.facts().shape, revision.mask_sha256).astype(np.uint8, copy=False)

    def pixel_files(self, case: str, number: int) -> tuple[Path, Path]:
        """The files of a case's counts and of the mask of a revision, which never change.

        Raises
        ------
        StoreError
            If that is no key.
        """
        files = self.files(case)
        return files.counts_path, append_only.part_of(files.revisions, number, _MASK)

    def add_prediction(self, case: str, segmentation: Segmentation) -> None:
        """Add what a model says about a case, unless it is the model whose prediction was added last.

        Raises
        ------
        StoreError
            If there is no such case, or it cannot be reached.
        CannotWrite
            If the store is full, not writable or gone; nothing was saved.
        """
        files = self.files(case)
        facts = files.facts()
        last = last_prediction(files.predictions)
        if last is not None and last.model_sha256 == segmentation.model_sha256:
            return
        if segmentation.skeleton.shape != facts.shape:
            raise StoreError(f"The prediction has shape {segmentation.skeleton.shape}; case {case} has {facts.shape}.")
        add_prediction(files.predictions, segmentation, facts.spacing)

    def prediction(self, case: str) -> Prediction | None:
        """What the model that was asked last said about a case; None if none was.

        Raises
        ------
        StoreError
            If there is no such case, a file is damaged, or it cannot be reached.
        """
        files = self.files(case)
        last = last_prediction(files.predictions)
        return None if last is None else read_prediction(files.predictions, last, files.facts().shape)

    def keys(self) -> list[str]:
        """Keys of all cases, in order.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return case_keys(self._cases)

    def files(self, case: str) -> CaseFiles:
        """The files of a case, whether it is there or not.

        Raises
        ------
        StoreError
            If that is no key.
        """
        if not is_case_key(case):
            raise StoreError(f"{case}: is no key of a case; `bonescint store list {self.folder}` lists them.")
        return CaseFiles(self._cases / case)

    def _existing(self, keys: Iterable[str]) -> str | None:
        with reachable(self._cases):
            return next((key for key in keys if self.files(key).folder.exists()), None)
