"""Sentences about a scan or a result, each with the remedy that the user has.

A window shows a button for the remedy; a command line names its option.
"""

from __future__ import annotations

from enum import Enum


class Remedy(Enum):
    """An action of the user that may answer a notice."""

    NAME_VIEW = "name view"
    """Say which view an image shows, or that it is right."""
    CHANGE_VIEW = "change view"
    """Make a view the opposite one."""
    MIRROR = "mirror"
    SPLIT_SIDES = "split sides"
    """Make two views of an image that shows both side by side."""
    INVERT = "invert"
    INVERT_BACK = "invert back"
    TURN_OVER = "turn over"
    """Turn a view by 180 degrees."""
    TURN_UP = "turn up"
    """Turn the views of a scan by 90 degrees."""
    TURN_BACK = "turn back"
    JOIN = "join"
    """Undo that an image was split into two views."""
    SET_SPACING = "set spacing"
    TAKE_GREY = "take grey"
    """Take one channel of a grey image that is stored in colour or with opacity."""
    TAKE_FINEST = "take finest"
    """Take the finest level of a multiscale image."""
    SPLIT_STACK = "split stack"
    """Make views of the frames of an image."""
    OPEN_UPRIGHT = "open upright"
    """Open a picture again, turned as its file says."""
    STRAIGHTEN = "straighten"
    """Reset shear and rotation of a layer."""


_OPTIONS = {
    Remedy.NAME_VIEW: "--view",
    Remedy.CHANGE_VIEW: "--view",
    Remedy.MIRROR: "--flip-posterior",
    Remedy.SPLIT_SIDES: "--split-sides",
    Remedy.SET_SPACING: "--spacing",
}


class Notice(str):
    """A sentence for the user, with its remedy.

    Attributes
    ----------
    remedy : Remedy or None
        None if the sentence only informs.
    view : str
        Name of the view that it is about; empty for all views.
    """

    remedy: Remedy | None
    view: str

    def __new__(cls, text: str, remedy: Remedy | None = None, view: str = "") -> Notice:
        """Make a notice; any other text counts as one without a remedy."""
        self = super().__new__(cls, text)
        self.remedy, self.view = remedy, view
        return self

    @classmethod
    def of(cls, text: str) -> Notice:
        """The text itself if it is a notice, else a notice that only informs."""
        return text if isinstance(text, cls) else cls(text)

    def about(self, subject: str) -> Notice:
        """The notice with the name of a scan or a layer before it."""
        return Notice(f"{subject}: {self}", self.remedy, self.view)


def on_command_line(text: str) -> str:
    """A notice for users of the command line: with the option that is its remedy, if there is one."""
    option = _OPTIONS.get(text.remedy) if isinstance(text, Notice) and text.remedy is not None else None
    return str(text) if option is None else f"{text} Option: {option}."
