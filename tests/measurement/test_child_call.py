"""A call in a child process gives the result of the function, or one sentence."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import read_json
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.measurement.child_call import call_in_child

if TYPE_CHECKING:
    from pathlib import Path


def test_a_call_in_a_child_gives_its_result_or_its_sentence(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"views": 2}))
    assert call_in_child(read_json, facts) == {"views": 2}
    assert call_in_child(os.getpid) != os.getpid()
    with pytest.raises(BonescintError, match=r"no-such-model"):
        call_in_child(find_model, "no-such-model")
    with pytest.raises(BonescintError, match=r"A process failed: FileNotFoundError: .*missing\.json"):
        call_in_child(read_json, tmp_path / "missing.json")
    with pytest.raises(BonescintError, match=r"A process ended unexpectedly \(exit code 3\); please try again"):
        call_in_child(os._exit, 3)
