"""The folder of a store is made, recognised and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store.folder import is_label_store, make_store_folder, read_secrets

if TYPE_CHECKING:
    from pathlib import Path


def test_every_store_has_a_secret_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert not is_label_store(tmp_path / name)
        make_store_folder(tmp_path / name)
        assert is_label_store(tmp_path / name)
    assert read_secrets(tmp_path / "a") != read_secrets(tmp_path / "b")


@pytest.mark.parametrize("content", [b"", b"abc", b"0" * 65])
def test_a_secret_that_was_cut_off_is_refused(tmp_path: Path, content: bytes) -> None:
    make_store_folder(tmp_path / "store")
    (tmp_path / "store" / "secret").write_bytes(content)
    with pytest.raises(StoreError, match="secret: is missing or damaged"):
        read_secrets(tmp_path / "store")
