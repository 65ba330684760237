"""Open the panels of this plugin: one of each kind in a window, under the name that napari's menus give it.

They share the height of the window as tabs, since two panels one above the other leave too little room for either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npe2 import PluginManager

from napari_bonescint.gui.common.dock_panel import DockPanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLUGIN = "napari-bonescint"


def open_panel(viewer: Viewer, title: str) -> Any:
    """Bring a panel to the front of its window; it is opened if it is not there, and seen in the next turn.

    Parameters
    ----------
    viewer : Viewer
    title : str
        Its name in the manifest.

    Returns
    -------
    DockPanel
        The panel, of the class that the manifest names.
    """
    manager = PluginManager.instance()
    contributions = (each for each in manager.iter_widgets() if each.plugin_name == PLUGIN)
    kind: Any = next(each for each in contributions if each.display_name == title).get_callable()
    docked = [panel for panel in viewer.window.dock_widgets.values() if isinstance(panel, DockPanel)]
    panel = next((each for each in docked if isinstance(each, kind)), None)
    if panel is None:
        panel = kind(viewer)
        # The name that napari gives it, so that the menu Plugins finds this panel, too.
        name = f"{title} ({manager.get_manifest(PLUGIN).display_name})"
        viewer.window.add_dock_widget(panel, name=name, tabify=bool(docked))
    elif isinstance(panel, DockPanel):
        panel.come_forward()
    return panel
