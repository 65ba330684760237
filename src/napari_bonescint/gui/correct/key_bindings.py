"""Keys that work while a scan is corrected.

napari ignores key bindings in a plugin's manifest, so they are bound in code: on the labels layers, whose own keys come
before those of their class, and on the viewer, in case another layer is selected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.key_bindings import coerce_keybinding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class KeyBindings:
    """Binds keys, and restores the earlier bindings on `release`."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def bind(self, owners: Iterable[Any], key: str, action: Callable[[], object]) -> None:
        """Bind a key, in napari's notation such as ``Shift-G``, to an action in layers and viewers."""

        def press(_owner: Any) -> None:
            action()

        self._bind(owners, key, press)

    def hold(self, owners: Iterable[Any], key: str, press: Callable[[], object], let_go: Callable[[], object]) -> None:
        """Bind a key to an action when it is pressed and another one when it is released."""

        def held(_owner: Any) -> Iterator[None]:
            press()
            yield
            let_go()

        self._bind(owners, key, held)

    def move_to(self, owners: Sequence[Any], bind: Callable[[Sequence[Any]], object]) -> None:
        """Move the keys to other layers and viewers; `bind` binds them, unless they are bound there already."""
        if {id(owner) for owner, _, _ in self._before} != {id(owner) for owner in owners}:
            self.release()
            bind(owners)

    def release(self) -> None:
        """Restore the earlier bindings of all keys."""
        for owner, key, before in reversed(self._before):
            owner.bind_key(key, before, overwrite=True)
        self._before = []

    def _bind(self, owners: Iterable[Any], key: str, function: Callable[[Any], object]) -> None:
        for owner in owners:
            self._before.append((owner, key, owner.keymap.get(coerce_keybinding(key))))
            owner.bind_key(key, function, overwrite=True)
