"""Whatever step of a write fails, what was there stays and what is new is whole or absent."""

from __future__ import annotations

import errno
import io
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

    MakeRegions = Callable[[int], np.ndarray]

_STEPS = ("open", "mkdir", "fsync", "replace", "rename", "unlink", "rmdir")
_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO)


class Fault:
    """Lets the operating system refuse one step of a write, or all from one on, as if the process were killed there.

    Parameters
    ----------
    at : int
        Which step, from 0.
    for_good : bool
        Whether all later steps fail, too.
    """

    def __init__(self, at: int, *, for_good: bool) -> None:
        self.steps = 0
        self._at, self._for_good = at, for_good

    def step(self) -> None:
        """Count a step, and refuse it if it is the one."""
        number, self.steps = self.steps, self.steps + 1
        if number == self._at or (self._for_good and number > self._at):
            code = _ERRORS[number % len(_ERRORS)]
            raise OSError(code, os.strerror(code))


class _File:
    """A file that writes a half before it fails."""

    def __init__(self, file: Any, fault: Fault) -> None:
        self._file, self._fault = file, fault

    def write(self, data: bytes) -> int:
        try:
            self._fault.step()
        except OSError:
            self._file.write(data[: len(data) // 2])
            raise
        return int(self._file.write(data))

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def injected(fault: Fault) -> Iterator[None]:
    """Put a fault between the program and the operating system. fsync is only counted: no power cut is tested."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _STEPS:
            real = getattr(os, name)

            def refusing(*args: Any, real: Callable[..., Any] = real, name: str = name, **options: Any) -> Any:
                fault.step()
                return None if name == "fsync" else real(*args, **options)

            patch.setattr(os, name, refusing)
        real_open = io.open

        def opening(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if "x" not in mode and "w" not in mode:
                return real_open(path, mode, *args, **options)
            fault.step()
            return _File(real_open(path, mode, *args, **options), fault)

        patch.setattr(io, "open", opening)
        yield


def everything_in(store: LabelStore) -> dict[str, bytes]:
    """Every record of a store that is complete: facts, and the files that they speak of."""
    facts = [path for path in store.folder.glob("cases/[0-9a-f]*/**/*.json") if not path.name.startswith(".")]
    files = {path for each in facts for path in each.parent.glob(f"{each.stem}.*")} | set(
        store.folder.glob("cases/[0-9a-f]*/counts.tif")
    )
    return {str(path): path.read_bytes() for path in files}


@pytest.fixture
def attempts(
    store: LabelStore, case: str, scan: Scan, some_regions: MakeRegions, segmentation: Segmentation
) -> dict[str, Callable[[int], object]]:
    """Each write to a store, with a number that makes what is written another each time."""
    return {
        "save": lambda n: store.save(case, some_regions(n), Origin.empty(), annotator="Ada", reviewed=True),
        "add": lambda n: store.add(replace(scan, source_sha256=f"{n:064x}")),
        "predict": lambda n: store.add_prediction(case, replace(segmentation, model_sha256=f"{n:064x}")),
        "draft": lambda n: Drafts(store).save(case, "Ada", some_regions(n), Origin.empty()),
    }


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("what", ["save", "add", "predict", "draft"])
def test_every_single_step_may_fail(
    store: LabelStore, case: str, attempts: dict[str, Callable[[int], object]], what: str, *, for_good: bool
) -> None:
    for each in attempts.values():
        each(999)
    counting = Fault(at=-1, for_good=False)
    with injected(counting):
        attempts[what](1000)
    assert counting.steps >= 6
    told: list[str] = []
    for at in range(counting.steps):
        before = everything_in(store)
        draft_before = Drafts(store).find(case, "Ada")
        with injected(Fault(at, for_good=for_good)):
            try:
                attempts[what](at)
            except BonescintError as error:
                told.append(str(error))
        after = everything_in(store)
        assert before.items() <= after.items()
        found = check_store(LabelStore.open(store.folder), lambda _fraction: None)
        assert found.damage == []
        assert found.drafts == 1
        if what != "draft":
            draft = Drafts(store).find(case, "Ada")
            assert draft is not None
            assert draft_before is not None
            np.testing.assert_array_equal(draft.regions, draft_before.regions)
    assert len(told) >= 4
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in told)
    attempts[what](2000)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_making_a_store_can_be_cut_off_anywhere_and_done_again(tmp_path: Path, *, for_good: bool) -> None:
    counting = Fault(at=-1, for_good=False)
    with injected(counting):
        LabelStore.create(tmp_path / "counted")
    for at in range(counting.steps):
        folder = tmp_path / f"store {at}"
        with injected(Fault(at, for_good=for_good)), suppress(CannotWrite):
            LabelStore.create(folder)
        if not (folder / "store.json").exists():
            LabelStore.create(folder)
        assert LabelStore.open(folder).cases() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
@pytest.mark.parametrize("room", [0, 1, 150, 600, 5000])
def test_a_full_disk_is_one_sentence(
    store: LabelStore, case: str, some_regions: MakeRegions, scan: Scan, room: int
) -> None:
    import resource

    Drafts(store).save(case, "Ada", some_regions(1), Origin.empty())
    store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for attempt in (
        lambda: store.save(case, some_regions(2), Origin.empty(), annotator="Ada", reviewed=True),
        lambda: Drafts(store).save(case, "Ada", some_regions(2), Origin.empty()),
        lambda: store.add(replace(scan, source_sha256="1" * 64)),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(CannotWrite, match=r"could not be written \(File too large\)\.$"):
                attempt()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not hold for root")
def test_a_read_only_folder_is_one_sentence(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    revisions = store.files(case).revisions
    revisions.chmod(0o500)
    with pytest.raises(CannotWrite, match=r"could not be written \(Permission denied\)\.$"):
        store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    revisions.chmod(0o700)
    assert store.revisions(case) == []
