"""Cases are there when they are asked for, the next one at once, and what a model says of them goes into the store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.queue import WorkItem, queue_of_folder, queue_of_store
from napari_bonescint.gui.correct.case_loader import CaseLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

PATIENCE_MS = 60_000


class Heard:
    """What a loader has emitted."""

    def __init__(self, loader: CaseLoader) -> None:
        self.loaded: list[tuple[WorkItem, OpenedCase]] = []
        self.predicted: list[tuple[WorkItem, Prediction]] = []
        self.failed: list[str] = []
        loader.loaded.connect(lambda item, case: self.loaded.append((item, case)))
        loader.predicted.connect(lambda item, prediction: self.predicted.append((item, prediction)))
        loader.failed.connect(self.failed.append)

    @property
    def keys(self) -> list[str]:
        return [case.key for _, case in self.loaded]


@pytest.fixture
def loader(background: FileWorker) -> Iterator[CaseLoader]:
    loader = CaseLoader(background.run, partial(QTimer.singleShot, 25))
    yield loader
    loader.close()


@pytest.fixture
def heard(loader: CaseLoader) -> Heard:
    return Heard(loader)


def drain(background: FileWorker, qtbot: QtBot) -> None:
    """Wait until the thread has done all that it was given, and has told it."""
    done: list[None] = []
    background.run(lambda: None, done.append, lambda _: None)
    qtbot.waitUntil(lambda: bool(done), timeout=PATIENCE_MS)


def test_a_case_that_was_read_ahead_is_there_at_once(
    loader: CaseLoader, heard: Heard, store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, _ = queue_of_store(store)
    loader.use(store, "AB")
    loader.open(first)
    assert heard.loaded == []
    qtbot.waitUntil(lambda: len(heard.loaded) == 1, timeout=PATIENCE_MS)
    loader.read_ahead(second)
    drain(background, qtbot)
    assert len(heard.loaded) == 1
    loader.open(second)
    assert heard.keys == [first.name, second.name]


def test_only_the_case_that_was_asked_for_last_comes(
    loader: CaseLoader, heard: Heard, store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, third = queue_of_store(store)
    loader.use(store, "AB")
    for item in (first, second, third):
        loader.open(item)
    drain(background, qtbot)
    assert heard.keys == [third.name]


def test_another_store_forgets_what_was_read_ahead_and_asked_for(
    loader: CaseLoader, heard: Heard, store: LabelStore, tmp_path: Path, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, _ = queue_of_store(store)
    loader.use(store, "AB")
    loader.open(first)
    loader.read_ahead(second)
    loader.use(LabelStore.create(tmp_path / "other"), "AB")
    drain(background, qtbot)
    loader.open(second)
    drain(background, qtbot)
    assert heard.loaded == []
    assert len(heard.failed) == 1


def test_a_scan_of_a_folder_goes_into_the_store_when_it_is_opened_and_not_before(
    loader: CaseLoader,
    heard: Heard,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    background: FileWorker,
    qtbot: QtBot,
) -> None:
    store = LabelStore.create(tmp_path / "store")
    (item,) = queue_of_folder(write_nm("scans/one.dcm").parent, store).items
    loader.use(store, "AB")
    loader.read_ahead(item)
    drain(background, qtbot)
    assert store.keys() == []
    loader.open(item)
    qtbot.waitUntil(lambda: len(heard.loaded) == 1, timeout=PATIENCE_MS)
    assert store.keys() == heard.keys
    known, case = heard.loaded[0]
    assert known.case is not None
    assert known.case.key == case.key


def test_what_the_model_says_of_a_new_case_is_kept_in_the_store(
    loader: CaseLoader,
    heard: Heard,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    make_model: Callable[..., ModelCard],
    qtbot: QtBot,
) -> None:
    store = LabelStore.create(tmp_path / "store")
    (item,) = queue_of_folder(write_nm("scans/one.dcm").parent, store).items
    loader.use(store, "AB")
    loader.card = make_model()
    loader.open(item)
    qtbot.waitUntil(lambda: bool(heard.predicted), timeout=PATIENCE_MS)
    (told,) = heard.predicted
    kept = store.prediction(heard.keys[0])
    assert kept is not None
    assert (
        (told[1].model, told[1].model_sha256) == (kept.model, kept.model_sha256) == ("tiny", loader.card.weights_sha256)
    )
    assert heard.failed == []


def test_what_the_model_says_of_a_case_of_another_store_is_dropped(
    loader: CaseLoader,
    heard: Heard,
    scan: Scan,
    tmp_path: Path,
    make_model: Callable[..., ModelCard],
    background: FileWorker,
    qtbot: QtBot,
) -> None:
    store = LabelStore.create(tmp_path / "store")
    store.add(scan)
    loader.use(store, "AB")
    loader.card = make_model()
    loader.open(queue_of_store(store)[0])
    qtbot.waitUntil(lambda: loader.child.is_busy, timeout=PATIENCE_MS)
    loader.use(LabelStore.create(tmp_path / "other"), "AB")
    qtbot.waitUntil(lambda: not loader.child.is_busy, timeout=PATIENCE_MS)
    drain(background, qtbot)
    assert (heard.predicted, heard.failed) == ([], [])


def test_a_case_that_cannot_be_read_is_one_sentence(
    loader: CaseLoader, heard: Heard, store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, _ = queue_of_store(store)
    for path in store.files(first.name).folder.glob("*.tif"):
        path.write_bytes(b"damaged")
    loader.use(store, "AB")
    loader.open(first)
    drain(background, qtbot)
    (sentence,) = heard.failed
    assert first.name in sentence
    loader.open(second)
    drain(background, qtbot)
    assert heard.keys == [second.name]


def test_a_case_that_cannot_be_read_does_not_take_along_the_one_asked_for_after_it(
    loader: CaseLoader, heard: Heard, store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, _ = queue_of_store(store)
    for path in store.files(first.name).folder.glob("*.tif"):
        path.write_bytes(b"damaged")
    loader.use(store, "AB")
    loader.open(first)
    loader.open(second)
    drain(background, qtbot)
    assert (len(heard.failed), heard.keys) == (1, [second.name])


def test_another_annotator_finds_their_draft_of_a_case_that_was_read_ahead(
    loader: CaseLoader, heard: Heard, store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    first, second, _ = queue_of_store(store)
    Drafts(store).save(second.name, "CD", np.ones(store.scan(second.name).counts.shape, np.uint8), Origin.empty())
    loader.use(store, "AB")
    loader.open(first)
    loader.read_ahead(second)
    drain(background, qtbot)
    loader.sign("CD")
    loader.open(second)
    drain(background, qtbot)
    assert [case.draft is not None for _, case in heard.loaded] == [False, True]


def test_what_the_model_says_is_kept_though_another_annotator_signs_meanwhile(
    loader: CaseLoader,
    heard: Heard,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    make_model: Callable[..., ModelCard],
    qtbot: QtBot,
) -> None:
    store = LabelStore.create(tmp_path / "store")
    (item,) = queue_of_folder(write_nm("scans/one.dcm").parent, store).items
    loader.use(store, "AB")
    loader.card = make_model()
    loader.open(item)
    qtbot.waitUntil(lambda: loader.child.is_busy, timeout=PATIENCE_MS)
    loader.sign("CD")
    qtbot.waitUntil(lambda: bool(heard.predicted), timeout=PATIENCE_MS)
    assert store.prediction(heard.keys[0]) is not None
