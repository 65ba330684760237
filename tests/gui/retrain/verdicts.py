"""A verdict as `bonescint judge` gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from napari_bonescint.evaluation.verdict import ComparedModel, Recommendation, Row, SetKind, Verdict, VerdictPicture

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = Verdict(
    current=ComparedModel("present", "0" * 64),
    new=ComparedModel("quick-1", "1" * 64),
    recommendation=Recommendation.USE,
    sentences=("Use the new weights: they are better on corrected scans.", "Masks corrected from a model favour it."),
    rule="Better with the lower bound above zero.",
    rows=(
        Row(SetKind.CORRECTED, "ribs", "ribs", 6, 12, 0.8, 0.85, 0.05, 0.01, 0.09),
        Row(SetKind.CORRECTED, "skull", "skull", 1, 2, 0.9, 0.9, 0.0, None, None),
        Row(SetKind.SIMULATED, "ribs", "ribs", 12, 24, 0.9, 0.88, -0.02, -0.03, -0.01),
    ),
    pictures=(VerdictPicture("best.jpg", "Best: ribs"), VerdictPicture("gone.jpg", "Worst: ribs")),
)


def write_verdict(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in VERDICT.files().items():
        (folder / name).write_bytes(content)
    Image.new("RGB", (60, 40), "red").save(folder / "best.jpg")
