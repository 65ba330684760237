"""What napari and vispy do again for every viewer or event, with the same outcome, is done once in a run of tests."""

from __future__ import annotations

import inspect
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari._qt.qt_main_window import _QtMainWindow
from napari._vispy.utils import qt_font
from napari.settings import get_settings
from napari.utils.events import EventEmitter
from npe2 import PluginManifest
from vispy.gloo import Program, glir
from vispy.visuals.shaders import parsing
from vispy.visuals.shaders.function import Function
from vispy.visuals.text.text import SDFRendererCPU

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    import pytest
    from qtpy.QtGui import QFont, QFontMetricsF


def spare(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Spare it until the patch is undone; napari's own settings are those of a new user and lie in `folder`."""
    _read_manifests_once(patch)
    _read_signatures_once(patch)
    _parse_shaders_once(patch)
    _find_variables_once(patch)
    _draw_letters_once(patch)
    # Asks Python about every event of every widget, so that a menu bar that was hidden comes back under the mouse.
    patch.delattr(_QtMainWindow, "eventFilter")
    # Every dock that is placed has all settings written to disk.
    patch.setattr(get_settings(folder / "napari.yaml"), "_save_on_change", False)


def _read_manifests_once(patch: pytest.MonkeyPatch) -> None:
    """Once instead of for each viewer, and for the first look into the preferences."""
    found = list(PluginManifest.discover())
    patch.setattr(PluginManifest, "discover", lambda paths=(): iter([] if paths else found))


def _read_signatures_once(patch: pytest.MonkeyPatch) -> None:
    """Whether a callback takes the event is asked at each connection and each disconnection."""
    ask = EventEmitter._check_signature
    answers: dict[Hashable, bool] = {}

    def check(callback: Callable[..., Any]) -> bool:
        if isinstance(callback, EventEmitter):
            callback = callback.__call__
        if (kind := _kind_of_signature(callback)) is None:
            return ask(callback)
        if kind not in answers:
            answers[kind] = ask(callback)
        return answers[kind]

    patch.setattr(EventEmitter, "_check_signature", staticmethod(check))


def _kind_of_signature(callback: Callable[..., Any]) -> Hashable:
    """What all callbacks share that have the signature of this one; None where that cannot be told."""
    if isinstance(callback, partial):
        inner = _kind_of_signature(callback.func)
        return inner and ("partial", inner, len(callback.args), *callback.keywords)
    if inspect.ismethod(callback):
        inner = _kind_of_signature(callback.__func__)
        return inner and ("method", inner)
    if not inspect.isfunction(callback) or callback.__dict__:  # which may name another function's signature
        return None
    return callback.__code__, len(callback.__defaults__ or ()), *(callback.__kwdefaults__ or ())


def _parse_shaders_once(patch: pytest.MonkeyPatch) -> None:
    """A layer is drawn by hundreds of pieces of shaders, most of them the same dozens."""
    parse = lru_cache(maxsize=None)(parsing.parse_function_signature)
    clean = lru_cache(maxsize=None)(partial(Function._clean_code, None))

    def signature(code: str) -> tuple[str, list[Any], str]:
        name, arguments, kind = parse(code)
        return name, list(arguments), kind

    patch.setattr(parsing, "parse_function_signature", signature)
    patch.setattr(Function, "_clean_code", lambda _self, code: clean(code))
    patch.setattr(glir, "_convert_desktop_shader", lru_cache(maxsize=None)(glir._convert_desktop_shader))
    for name, copied in (("find_functions", list), ("find_program_variables", dict)):
        find = lru_cache(maxsize=None)(getattr(parsing, name))
        patch.setattr(parsing, name, lambda code, find=find, copied=copied: copied(find(code)))


def _find_variables_once(patch: pytest.MonkeyPatch) -> None:
    """Those of a whole program, which each visual looks for when it is first drawn."""
    find = Program._parse_variables_from_code
    found: dict[tuple[str, ...], dict[str, Any]] = {}

    def variables(program: Program, update_variables: bool = True) -> None:
        code = tuple(shader.code for shader in program._shaders)
        if code not in found:
            find(program, update_variables=False)
            found[code] = program._code_variables
        program._code_variables = found[code].copy()
        if update_variables:
            program._process_pending_variables()

    patch.setattr(Program, "_parse_variables_from_code", variables)


def _draw_letters_once(patch: pytest.MonkeyPatch) -> None:
    """Each canvas draws the letters of its captions anew, large, and makes them small."""
    draw = SDFRendererCPU.render_to_texture
    drawn: dict[tuple[bytes, tuple[int, ...], tuple[int, int]], np.ndarray] = {}

    def letter(renderer: SDFRendererCPU, data: np.ndarray, texture: Any, offset: Any, size: tuple[int, int]) -> None:
        (x, y), (width, height) = offset, size
        key = (data.tobytes(), data.shape, (width, height))
        if key not in drawn:
            drawn[key] = np.empty((height, width, 3), np.uint8)
            draw(renderer, data, drawn[key], (0, 0), size)
        texture[y : y + height, x : x + width, :] = drawn[key]

    patch.setattr(SDFRendererCPU, "render_to_texture", letter)
    load = qt_font._load_glyph_qt
    loaded: dict[tuple[str, str], dict[str, Any]] = {}

    def glyph(font: QFont, metrics: QFontMetricsF, character: str, glyphs: dict[str, dict[str, Any]]) -> None:
        key = (font.toString(), character)
        if key not in loaded:
            load(font, metrics, character, glyphs)
            loaded[key] = glyphs[character].copy()
        glyphs[character] = loaded[key].copy()

    patch.setattr(qt_font, "_load_glyph_qt", glyph)
