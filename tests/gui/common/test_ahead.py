from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from threading import enumerate as threads
from qtpy.QtCore import QCoreApplication
from napari_bonescint.gui.common.ahead import prepare_panels

def found():
    return [each for each in threads() if each.name == "bonescint-ahead"]

app = QCoreApplication([])
for _ in range(2):
    prepare_panels()
app.processEvents()
assert not found(), "what is being opened comes first"
while not found():
    app.processEvents()
(thread,) = found()
thread.join()
print(*sorted(name for name in sys.modules if name == "torch" or name.endswith(".panel")))
"""


def test_all_panels_are_imported_once_and_torch_is_not() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    panels = ("archive", "correct", "measure", "retrain", "segment")
    modules = [f"napari_bonescint.gui.{panel}.panel" for panel in panels]
    assert ended.stdout.split() == modules, ended.stderr
