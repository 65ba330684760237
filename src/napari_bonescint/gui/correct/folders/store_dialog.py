"""The dialog that makes a label store in a new folder, or opens one."""

from __future__ import annotations

from pathlib import Path

from magicgui.types import FileDialogMode
from magicgui.widgets import Container, FileEdit, LineEdit
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QVBoxLayout, QWidget

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store_place import Place, name_inside, place
from napari_bonescint.files.names import is_file_name
from napari_bonescint.gui.widgets.label_column import align_fields
from napari_bonescint.gui.widgets.plain_label import PlainLabel

_EXISTING = "Open an existing label store"
_WIDTH = 460


class StoreDialog(QDialog):
    """Asks for the folder of a label store: a new folder in a folder, or a store that is there.

    Parameters
    ----------
    parent : QWidget
    folder : Path
        The folder in which a new one is proposed.
    explanation : str
        The first sentence.

    Attributes
    ----------
    chosen : Path or None
        The folder of the store, which may not exist yet; None until the user has decided.
    """

    def __init__(self, parent: QWidget, folder: Path, explanation: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Label store")
        self.chosen: Path | None = None
        self.place = FileEdit(mode=FileDialogMode.EXISTING_DIRECTORY, value=folder, label="In the folder", name="place")
        self.place.choose_btn.text = "Choose …"
        self.name = LineEdit(value=name_inside(folder), label="New folder", name="folder_name")
        self.form = Container(widgets=[self.name, self.place])
        align_fields(self.form.native)
        self.explanation = PlainLabel(explanation, wraps=True)
        self.sentence = PlainLabel(wraps=True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.existing_button = self.buttons.addButton("Open an existing one …", QDialogButtonBox.ButtonRole.ActionRole)
        self.make_button = self.buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self.make_button.setDefault(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.explanation)
        layout.addWidget(self.form.native)
        layout.addWidget(self.sentence)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(_WIDTH)
        self.form.changed.connect(self._show_place)
        self.buttons.accepted.connect(self._make)
        self.buttons.rejected.connect(self.reject)
        self.existing_button.clicked.connect(self._open_existing)
        self._show_place()

    def _show_place(self) -> None:
        """Say what the button will do."""
        folder, name = self._folder(), self.name.value.strip()
        found = self._found()
        sentences = {
            Place.FREE: f"The label store is made in the new folder {folder}.",
            Place.STORE: f"{folder} is a label store; it is opened.",
            Place.TAKEN: f"{folder} is not empty; type the name of a new folder.",
            Place.NO_FOLDER: f"{folder.parent} is no folder; choose one.",
            None: f"{name or 'An empty name'} cannot be the name of a folder; type another one.",
        }
        self.sentence.setText(sentences[found])
        self.make_button.setText("Open label store" if found is Place.STORE else "Make label store")
        self.make_button.setEnabled(found in (Place.FREE, Place.STORE))

    def _folder(self) -> Path:
        return Path(str(self.place.value)) / self.name.value.strip()

    def _found(self) -> Place | None:
        """What is at the chosen place; None if the name is no name of a folder."""
        if not is_file_name(self.name.value.strip()):
            return None
        try:
            return place(self._folder())
        except StoreError:
            return Place.NO_FOLDER

    def _make(self) -> None:
        self.chosen = self._folder()
        self.accept()

    def _open_existing(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, _EXISTING, str(self.place.value))
        if not chosen:
            return
        folder = Path(chosen)
        if place(folder) in (Place.STORE, Place.FREE):
            self.chosen = folder
            self.accept()
        else:
            self.explanation.setText(taken(folder))
            self.place.value = folder
            self.name.value = name_inside(folder)


def taken(folder: Path) -> str:
    """The sentence about a folder that holds other files."""
    return f"{folder.name or folder} is not empty, and no label store. A store can be made in a new folder in it."
