"""Keys that work while a scan is corrected, whichever layer is active.

napari ignores key bindings in a plugin's manifest, so they are bound in code. napari looks a key up in the active
layer, then in the class of that layer, then in the viewer. Therefore the keys are bound on the labels layers and on the
viewer, and move along to any other layer that becomes active: the class of image layers has keys of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.utils.key_bindings import coerce_keybinding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app_model.types import KeyBinding


class KeyBindings:
    """Binds keys, and restores the earlier bindings on `release`."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, KeyBinding, Any]] = []
        self._functions: dict[KeyBinding, Callable[[Any], object]] = {}
        self._viewer: ViewerModel | None = None
        self._guest: Any = None  # an active layer that is not among the owners
        self._before_guest: list[tuple[Any, KeyBinding, Any]] = []

    def bind(self, owners: Iterable[Any], key: str | int, action: Callable[[], object]) -> None:
        """Bind a key to an action in layers and viewers.

        An action that returns False leaves the key to the binding that it replaces. The key has napari's notation, such
        as ``Shift-G``, or is a number of app-model, such as ``KeyMod.CtrlCmd | KeyCode.KeyZ``. A key that napari does
        not know is a `ValueError`, since napari itself ignores it silently.
        """
        binding = _binding(key)

        def press(owner: Any) -> None:
            if action() is False and (replaced := self._replaced(owner, binding)) is not None:
                replaced(owner)

        self._bind(owners, binding, press)

    def hold(self, owners: Iterable[Any], key: str, press: Callable[[], object], let_go: Callable[[], object]) -> None:
        """Bind a key to an action when it is pressed and another one when it is released."""

        def held(_owner: Any) -> Iterator[None]:
            press()
            yield
            let_go()

        self._bind(owners, _binding(key), held)

    def move_to(self, owners: Sequence[Any], bind: Callable[[Sequence[Any]], object]) -> None:
        """Move the keys to other layers and their viewer; `bind` binds them, unless they are bound there already.

        From then on, the keys also work on any other layer of the viewer while it is active.
        """
        if {id(owner) for owner, _, _ in self._before} != {id(owner) for owner in owners}:
            self.release()
            bind(owners)
            self._viewer = next((owner for owner in owners if isinstance(owner, ViewerModel)), None)
            if self._viewer is not None:
                self._viewer.layers.selection.events.active.connect(self._on_active)
                self._on_active()

    def release(self) -> None:
        """Restore the earlier bindings of all keys."""
        if self._viewer is not None:
            self._viewer.layers.selection.events.active.disconnect(self._on_active)
            self._viewer = None
        self._receive(None)
        _restore(self._before)
        self._functions.clear()

    def _bind(self, owners: Iterable[Any], key: KeyBinding, function: Callable[[Any], object]) -> None:
        self._functions[key] = function
        for owner in owners:
            self._before.append(_put(owner, key, function))

    def _on_active(self, _event: Any = None) -> None:
        active = None if self._viewer is None else self._viewer.layers.selection.active
        self._receive(None if any(owner is active for owner, _, _ in self._before) else active)

    def _receive(self, layer: Any) -> None:
        """Bind the keys on another guest, or on none."""
        if layer is self._guest:
            return
        _restore(self._before_guest)
        self._guest = layer
        if layer is not None:
            self._before_guest = [_put(layer, key, function) for key, function in self._functions.items()]

    def _replaced(self, owner: Any, key: KeyBinding) -> Callable[[Any], object] | None:
        """The binding of an owner, or of its class, that a key had before."""
        own = next((before for each, name, before in self._before if each is owner and name == key), None)
        inherited = (getattr(cls, "class_keymap", {}).get(key) for cls in type(owner).__mro__)
        return own or next((function for function in inherited if callable(function)), None)


def _binding(key: str | int) -> KeyBinding:
    binding: KeyBinding = coerce_keybinding(key)
    if not binding.parts or not binding.parts[-1].key:  # 0 is its code for an unknown name
        raise ValueError(f"{key!r} is no key that napari knows")
    return binding


def _put(owner: Any, key: KeyBinding, function: Callable[[Any], object]) -> tuple[Any, KeyBinding, Any]:
    before = owner.keymap.get(key)
    owner.bind_key(key, function, overwrite=True)
    return owner, key, before


def _restore(before: list[tuple[Any, KeyBinding, Any]]) -> None:
    for owner, key, function in reversed(before):
        owner.bind_key(key, function, overwrite=True)
    before.clear()
