"""Fields for the folder and the name of files that are written."""

from __future__ import annotations

from pathlib import Path

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit, LineEdit

from napari_bonescint.gui.common.settings import Setting, remembered


class TargetFields:
    """The fields; a form takes them into its container."""

    def __init__(self) -> None:
        self.folder = FileEdit(label="Folder", mode=FileDialogMode.EXISTING_DIRECTORY)
        self.folder.choose_btn.text = "Choose …"
        self.name = LineEdit(label="Name", tooltip="Beginning of the names of all files")

    @property
    def chosen_folder(self) -> Path | None:
        """The folder for the files; None if the field is empty."""
        text = self.folder.line_edit.value.strip()
        return Path(text).expanduser() if text else None

    @property
    def chosen_name(self) -> str:
        """Beginning of the names of all files."""
        return str(self.name.value).strip()

    def propose(self, folder: Path | None, name: str) -> None:
        """Begin with the folder of the settings, or else with the scan's, and with this name."""
        wanted = remembered(Setting.EXPORT_FOLDER)
        self.folder.value = Path(wanted) if wanted else folder or Path.home()
        self.name.value = name
