"""A wheel, installed where nothing of the checkout can be seen, does its work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
import tifffile

from napari_bonescint.inference.model_card import DEFAULT_MODEL
from network_guard import local_only

CHECKOUT = Path(__file__).parents[1]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that sees nothing of this process's Python but the network guard; its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(Path(local_only.__file__).parent)
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new environment that holds the wheel and nothing else.

    The gigabytes of dependencies are not installed again: the environment looks them up in the one that runs the
    tests. A folder named in a .pth file comes after the environment's own and has its own .pth files left alone, so
    an editable install of the checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=True)
    scripts = folder / SCRIPTS
    run(scripts / "python", "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    site_packages = run(
        scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder
    ).strip()
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site_packages) / "dependencies.pth").write_text("\n".join(sorted(dependencies)), encoding="utf-8")
    return scripts


def test_wheel_holds_what_it_needs_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "napari_bonescint/py.typed",
        "napari_bonescint/napari.yaml",
        *(
            f"napari_bonescint/evaluation/report/templates/{name}.jinja"
            for name in ("page.html", "parts.html", "scores.html", "verdict.html", "reliability.svg")
        ),
        f"napari_bonescint/weights/{DEFAULT_MODEL}.safetensors",
        f"napari_bonescint/weights/{DEFAULT_MODEL}.json",
        "napari_bonescint/train/train.py",
        "napari_bonescint/train/splits.toml",
        "napari_bonescint/train/simulated-test/3000.webp",
    ):
        assert needed in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {name.partition("/")[0] for name in names} == {
        "napari_bonescint",
        next(name.partition("/")[0] for name in names if name.endswith("/METADATA")),
    }
    assert not [
        name
        for name in names
        if re.search(r"(^|/)(tests/|test_|conftest|__pycache__/|(?<!training/)runs/|train/state)|\.pyc$", name)
    ]


def test_installed_wheel_is_what_is_imported_and_finds_its_folders(installed: Path, tmp_path: Path) -> None:
    code = (
        "import json, napari_bonescint; from napari_bonescint.resources import shipped_folder;"
        "print(json.dumps([napari_bonescint.__file__, *(str(shipped_folder(n)) for n in ('weights', 'train'))]))"
    )
    found = json.loads(run(installed / "python", "-c", code, cwd=tmp_path))
    for path in found:
        assert Path(path).exists()
        assert Path(path).resolve().is_relative_to(installed.parent.resolve())


def test_installed_wheel_segments_the_real_scan(installed: Path, tmp_path: Path) -> None:
    nm1 = pydicom.data.get_testdata_file("JPEG-LL.dcm", download=False)
    run(installed / "bonescint", "segment", nm1, "--out", tmp_path, "--device", "cpu", cwd=tmp_path)
    facts = json.loads((tmp_path / "JPEG-LL.json").read_text(encoding="utf-8"))
    assert facts["model"] == DEFAULT_MODEL
    skeleton = tifffile.imread(tmp_path / "JPEG-LL.skeleton.tif")
    regions = tifffile.imread(tmp_path / "JPEG-LL.regions.tif")
    assert skeleton.shape == regions.shape == (1, 1024, 256)
    np.testing.assert_array_equal(skeleton, regions > 0)
    # About a fifth of a whole-body image is bone; here it is neither nothing nor the whole body.
    assert 0.05 < skeleton.mean() < 0.4
    assert len(np.unique(regions)) > 8
    # Measuring takes these masks, which are the installation's own, and needs no more than the wheel.
    run(installed / "bonescint", "measure", nm1, "--out", tmp_path, "--table", tmp_path / "all.csv", cwd=tmp_path)
    measures = json.loads((tmp_path / "JPEG-LL.measures.json").read_text(encoding="utf-8"))
    assert measures["models"][DEFAULT_MODEL] == facts["model_sha256"]
    assert tifffile.imread(tmp_path / "JPEG-LL.hotspots.tif").shape == (1, 1024, 256)
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) == 2
    code = "import napari_bonescint as nb; print(len(nb.measure(%r, %r).region_table()))"
    masks = str(tmp_path / "JPEG-LL.regions.tif")
    rows = int(run(installed / "python", "-c", code % (str(nm1), masks), cwd=tmp_path))
    assert rows == len((tmp_path / "JPEG-LL.regions.csv").read_text(encoding="utf-8").splitlines()) - 1


def test_installed_wheel_scores_a_model_with_table_and_report(
    installed: Path, cases: list[Path], tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report"
    data = ("--data", cases[0].parent, "--model", DEFAULT_MODEL, "--device", "cpu")
    run(installed / "bonescint", "evaluate", *data, "--out", out, "--report", report, cwd=tmp_path)
    assert DEFAULT_MODEL in (out / "RESULTS.md").read_text(encoding="utf-8")
    page = (report / "report.html").read_text(encoding="utf-8")
    assert f"<h2>{DEFAULT_MODEL} on " in page
    assert "data:image/jpeg;base64," in page
