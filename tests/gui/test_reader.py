from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.layers import Image
from pydicom.uid import generate_uid
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QRadioButton

from damaged_files import DAMAGED
from dicom_files import ANTERIOR, POSTERIOR
from napari_bonescint.display import contrast_limits, widened
from napari_bonescint.gui.common.settings import Setting, remember
from napari_bonescint.gui.reader import get_reader
from napari_bonescint.scan import SAME_VIEW, ViewSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer


def images_in(viewer: Viewer) -> list[Image]:
    return [layer for layer in viewer.layers if isinstance(layer, Image)]


def choose_our_reader() -> None:
    """Answer napari's question which reader to use; its own ones claim .dcm files and folders, too."""

    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog):
            QTimer.singleShot(20, choose)
            return
        next(button for button in dialog.findChildren(QRadioButton) if "Bone" in button.text()).click()
        dialog.accept()

    QTimer.singleShot(0, choose)


def test_a_file_is_opened_as_by_file_open(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    choose_our_reader()
    viewer.window._qt_viewer._qt_open([str(write_nm())], stack=False)
    anterior, posterior = images_in(viewer)
    assert (anterior.name, posterior.name) == ("scan anterior", "scan posterior")
    assert posterior.translate[1] > anterior.translate[1]
    facts = anterior.metadata["bonescint"]
    assert facts.scan.acquisition
    assert facts.scan.source_sha256


def test_a_scan_is_as_bright_as_the_preferences_say(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    remember(Setting.PRESET, "Faint")
    viewer.open(write_nm(), plugin="napari-bonescint")
    remember(Setting.PRESET, "Bone")
    viewer.open(write_nm("other.dcm"), plugin="napari-bonescint")
    images = images_in(viewer)
    usual = [contrast_limits(image.data) for image in images]
    wanted = [*(widened(window, 40) for window in usual[:2]), *usual[2:]]
    assert [tuple(image.contrast_limits) for image in images] == [pytest.approx(window) for window in wanted]


def test_a_file_without_extension_is_opened_without_a_question(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    viewer.window._qt_viewer._qt_open([str(write_nm("IM_0001"))], stack=False)
    viewer.window._qt_viewer._qt_open([str(write_nm("1.2.840.113619.2.55.3"))], stack=False)
    assert len(images_in(viewer)) == 4


def test_a_folder_is_opened_and_what_is_left_out_is_told_with_the_reasons(
    viewer: Viewer, write_nm: Callable[..., Path], tmp_path: Path, shown: Callable[[], list[str]]
) -> None:
    write_nm("export/a/IM1")
    write_nm("export/b/IM1")
    write_nm("export/b/IM2", Modality="CT")
    (tmp_path / "export" / "index.txt").write_text("not a scan")
    choose_our_reader()
    viewer.window._qt_viewer._qt_open([str(tmp_path / "export")], stack=False)
    assert len(images_in(viewer)) == 4
    assert len({tuple(image.translate) for image in images_in(viewer)}) == 4
    (told,) = [sentence for sentence in shown() if "left out" in sentence]
    assert told.startswith("2 files were left out: 1 x ")
    assert "1 x Modality is CT; only nuclear medicine (NM) images can be segmented" in told


def test_two_files_of_one_study_opened_together_are_one_scan(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    study = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    paths = [str(write_nm(name, views=(view,), **study)) for name, view in (("p", POSTERIOR), ("a", ANTERIOR))]
    viewer.open(paths, stack=True, plugin="napari-bonescint")
    anterior, posterior = images_in(viewer)
    assert anterior.metadata["bonescint"].scan is posterior.metadata["bonescint"].scan


def spans(images: list[Image]) -> list[tuple[float, float]]:
    return sorted((image.translate[1], image.translate[1] + image.data.shape[1] * image.scale[1]) for image in images)


def test_several_files_do_not_lie_over_each_other(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    viewer.open([str(write_nm("a.dcm")), str(write_nm("b.dcm"))], plugin="napari-bonescint")
    viewer.open(write_nm("c.dcm"), plugin="napari-bonescint")
    found = spans(images_in(viewer))
    assert len(found) == 6
    for (_, end), (begin, _) in pairwise(found):
        assert end < begin


@pytest.mark.parametrize("order", [(ANTERIOR, POSTERIOR), (POSTERIOR, ANTERIOR)])
def test_two_views_of_two_files_lie_side_by_side_whichever_comes_first(
    order: tuple[str, str], viewer: Viewer, write_nm: Callable[..., Path]
) -> None:
    viewer.open([str(write_nm(f"{view}.dcm", views=(view,))) for view in order], plugin="napari-bonescint")
    anterior, posterior = sorted(images_in(viewer), key=lambda image: image.metadata["bonescint"].view.name)
    assert anterior.translate[1] == 0
    ((_, end), (begin, _)) = spans([anterior, posterior])
    assert end < begin == posterior.translate[1] < 1.3 * end


def test_a_file_that_cannot_be_read_is_one_sentence(
    viewer: Viewer, write_nm: Callable[..., Path], shown: Callable[[], list[str]]
) -> None:
    assert viewer.open(write_nm(ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]), plugin="napari-bonescint") == []
    (sentence,) = shown()
    assert "scan.dcm" in sentence
    assert "TOMO" in sentence


def test_a_file_that_ends_its_decoder_leaves_napari_and_the_other_files_alone(
    viewer: Viewer, write_nm: Callable[..., Path], shown: Callable[[], list[str]], tmp_path: Path
) -> None:
    write_nm("export/good.dcm")
    for number, (write, _) in enumerate(DAMAGED.values()):
        write(tmp_path / "export" / f"{number}.dcm")
    viewer.open(tmp_path / "export", plugin="napari-bonescint")
    assert len(images_in(viewer)) == 2
    told = shown()
    assert any("its decoder ended unexpectedly" in sentence for sentence in told)
    assert not any("Traceback" in sentence for sentence in told)


def test_what_the_reader_had_to_assume_is_shown(
    viewer: Viewer, write_nm: Callable[..., Path], shown: Callable[[], list[str]]
) -> None:
    viewer.open(write_nm(views=(None,), PixelSpacing=None), plugin="napari-bonescint")
    assert any("view" in message for message in shown())
    assert any("pixel spacing" in message for message in shown())


def test_other_files_are_left_to_other_readers(tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    tifffile.imwrite(tmp_path / "image.tif", np.ones((20, 20), np.uint8))
    (tmp_path / "README").write_text("text")
    (tmp_path / "empty").mkdir()
    for name in ("image.tif", "README", "empty", "missing"):
        assert get_reader(str(tmp_path / name)) is None
    assert get_reader(str(write_nm("IM1"))) is not None
    assert get_reader([str(write_nm("IM1"))]) is not None


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("scan.DCM", True),
        ("IM_0001", True),
        ("x", True),
        ("1.2.840.113619.2.55", True),
        ("DICOMDIR", True),
        ("photo.png", False),
        ("stack.ome.tif", False),
        ("page.jpeg", False),
        ("notes.txt", False),
    ],
)
def test_names_that_napari_asks_us_about(name: str, ours: bool, viewer: Viewer, tmp_path: Path) -> None:
    from npe2 import PluginManager

    (tmp_path / name).touch()
    readers = PluginManager.instance().iter_compatible_readers([str(tmp_path / name)])
    assert ("napari-bonescint" in {reader.plugin_name for reader in readers}) is ours


def test_two_files_of_one_study_opened_one_by_one_are_not_both_anterior_without_a_question(
    viewer: Viewer, write_nm: Callable[..., Path], shown: Callable[[], list[str]]
) -> None:
    study, text = generate_uid(), "Bone WB ANT/POST 3H"
    for name in ("a.dcm", "p.dcm"):
        path = write_nm(name, views=(None,), StudyInstanceUID=study, SeriesDescription=text)
        viewer.open(path, plugin="napari-bonescint")
    assert [image.metadata["bonescint"].view.source for image in images_in(viewer)] == [ViewSource.ASSUMED] * 2
    assert shown().count(SAME_VIEW) == 1
    viewer.open(write_nm("other.dcm", views=(ANTERIOR,)), plugin="napari-bonescint")
    assert shown().count(SAME_VIEW) == 1
    assert study not in repr([layer.metadata for layer in viewer.layers])
