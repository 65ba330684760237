"""Parts of napari's viewer whose places differ between its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel


def whole(viewer: ViewerModel) -> ViewerModel:
    """The viewer itself; napari hands a proxy of it to panels, which no weak reference keeps."""
    return getattr(viewer, "__wrapped__", viewer)


def camera_of(viewer: ViewerModel) -> Any:
    """The viewer's camera; napari 0.9 moved it to `viewer.scene`."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera


def scene_overlays_of(viewer: ViewerModel) -> Any:
    """What is drawn over the layers, by name; private before napari 0.9."""
    return viewer.scene.overlays if hasattr(viewer, "scene") else whole(viewer)._overlays


def scale_bar_of(viewer: ViewerModel) -> Any:
    """The viewer's scale bar; napari 0.9 moved it to `viewer.canvas`."""
    return viewer.canvas.overlays.scale_bar if hasattr(viewer, "canvas") else viewer.scale_bar


def grid_of(viewer: ViewerModel) -> Any:
    """The viewer's grid; napari 0.9 moved it to `viewer.canvas`."""
    return viewer.canvas.grid if hasattr(viewer, "canvas") else viewer.grid


def canvas_height(viewer: ViewerModel) -> float:
    """Height of the canvas in screen pixels; private before napari 0.9."""
    size = viewer.canvas.size if hasattr(viewer, "canvas") else whole(viewer)._canvas_size
    return float(size[0])
