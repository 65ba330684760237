from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from threading import enumerate as threads
from napari_bonescint.gui.common.ahead import prepare_panels

for _ in range(2):
    prepare_panels()
(thread,) = [each for each in threads() if each.name == "bonescint-ahead"]
thread.join()
print(*sorted(name for name in sys.modules if name == "torch" or name.endswith(".panel")))
"""


def test_all_panels_are_imported_once_and_torch_is_not() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    panels = ("archive", "correct", "measure", "retrain", "segment")
    modules = [f"napari_bonescint.gui.{panel}.panel" for panel in panels]
    assert ended.stdout.split() == modules, ended.stderr
