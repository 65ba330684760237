"""A verdict in a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.verdict import (
    ComparedModel,
    Recommendation,
    Row,
    SetKind,
    Verdict,
    VerdictError,
    VerdictPicture,
    read_verdict,
)
from napari_bonescint.files.atomic import write_folder_atomically

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = Verdict(
    ComparedModel("phase-u-net-regions", "ab" * 32),
    ComparedModel("quick", "cd" * 32),
    Recommendation.USE,
    ("Use the new weights.", "Because."),
    "A rule.",
    (
        Row(SetKind.CORRECTED, "skull", "skull", 6, 12, 0.9, 0.91, 0.01, 0.005, 0.02),
        Row(SetKind.SIMULATED, "skull", "skull", 1, 2, 0.9, 0.9, 0.0, None, None),
    ),
    (VerdictPicture("best.jpg", "Where the new weights do best."),),
)


def test_a_verdict_survives_a_round_trip(tmp_path: Path) -> None:
    write_folder_atomically(tmp_path / "verdict", VERDICT.files())
    assert read_verdict(tmp_path / "verdict") == VERDICT


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": [{"file": "../../secret.jpg", "caption": "a"}]},
        {"pictures": [{"file": "/etc/passwd", "caption": "a"}]},
        {"rows": [5]},
        {"sentences": "Use"},
        {"recommendation": ["use"]},
        {"new": {"name": 5, "weights_sha256": "ab"}},
    ],
)
def test_a_verdict_of_wrong_kinds_or_with_pictures_elsewhere_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    (content,) = VERDICT.files().values()
    (tmp_path / "verdict.json").write_text(json.dumps({**json.loads(content), **change}))
    with pytest.raises(VerdictError, match=r"verdict\.json: is not a verdict of this version"):
        read_verdict(tmp_path)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"", b"[]", b"{}", b'{"version": 2}', b'{"version": 1}'])
def test_a_folder_without_a_verdict_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(VerdictError, match=r"verdict\.json: cannot be read: No such file"):
        read_verdict(tmp_path)
    (tmp_path / "verdict.json").write_bytes(content)
    with pytest.raises(VerdictError, match=r"verdict\.json: is not a verdict of this version"):
        read_verdict(tmp_path)
