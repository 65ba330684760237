"""OpenVINO beside the rest of a process; what it computes, `test_choice.py` compares with the naive reference."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("openvino")

from napari_bonescint.inference.backends.engine import EngineUnavailable
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine, OpenVinoInt8Engine
from napari_bonescint.inference.model_card import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]

# The older of two models goes first, as when the user chooses another one.
SIGNALLED = """
import signal, sys
from pathlib import Path
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine
from napari_bonescint.inference.model_card import read_card

card = read_card(Path(sys.argv[1]))
signal.signal(signal.SIGINT, lambda *_: print("Ctrl-C"))
older = OpenVinoEngine(card)
newer = OpenVinoEngine(card)
del older
del newer
signal.raise_signal(signal.SIGINT)
"""


def test_a_signal_is_survived_after_models_have_gone_in_the_order_in_which_they_came(make_model: MakeModel) -> None:
    child = [sys.executable, "-c", SIGNALLED, str(make_model().path)]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Ctrl-C\n"), signal.strsignal(-done.returncode)


def test_images_of_any_size_come_back_in_their_size(make_model: MakeModel) -> None:
    images = np.random.default_rng(0).random((2, 37, 21), np.float32)
    card = make_model(architecture="u-net", outputs=3)
    logits = OpenVinoEngine(card).logits(images)
    assert logits.shape == (2, 3, 37, 21)
    # What is beyond the image is zero, whoever pads it.
    by_hand = np.zeros((2, 48, 32), np.float32)
    by_hand[:, :37, :21] = images
    np.testing.assert_array_equal(OpenVinoEngine(card).logits(by_hand)[..., :37, :21], logits)


def test_a_network_that_is_not_in_the_zoo_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match="There is no network 'fdn-99'"):
        OpenVinoEngine(replace(make_model(), architecture="fdn-99"))


def test_a_model_without_calibration_is_not_computed_in_integers(make_model: MakeModel) -> None:
    with pytest.raises(EngineUnavailable, match="tiny is not calibrated for int8"):
        OpenVinoInt8Engine(make_model())
