"""The form of an export: scan, mask, formats, folder and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container

from napari_bonescint.formats.export import Form
from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.common.settings import Switch, is_on, turn
from napari_bonescint.gui.export.target_fields import TargetFields
from napari_bonescint.gui.widgets.label_column import align_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_bonescint.gui.export.open_scans import MaskLayers, OpenScan

_TICKS = {
    Form.SEG: (Switch.EXPORT_SEG, "DICOM SEG of the mask", "For archives and viewers; keeps patient and study"),
    Form.NIFTI: (Switch.EXPORT_NIFTI, "NIfTI of the mask", "One file for each view"),
    Form.COUNTS: (Switch.EXPORT_COUNTS, "NIfTI of the image", "The counts, one file for each view"),
    Form.TIFF: (Switch.EXPORT_TIFF, "TIFF of the mask", "A page for each view"),
    Form.PICTURE: (Switch.EXPORT_PICTURE, "Picture (PNG)", "All views with their mask in colours"),
}
_NO_MASK = "No mask lies on this scan, so only its image and a picture can be exported."
_NO_DICOM = "DICOM SEG needs a scan that was opened from a DICOM file."


class ExportForm(TargetFields):
    """Fields for one of the open scans, in `container`; `note` says what cannot be exported."""

    def __init__(self, scans: Sequence[OpenScan], chosen: OpenScan, forms: Iterable[Form] | None) -> None:
        super().__init__()
        self._scans = scans
        self.note = ""
        # magicgui asks for choices again whenever a field moves to another window.
        self.scan = ComboBox(label="Scan", choices=numbered([scan.title for scan in scans]))
        self.mask = ComboBox(label="Mask", choices=self._mask_choices)
        self.ticks = {form: CheckBox(text=text, tooltip=tip) for form, (_, text, tip) in _TICKS.items()}
        fields = [self.scan, self.mask, *self.ticks.values(), self.folder, self.name]
        self.container: Container[Any] = Container(widgets=fields)
        align_fields(self.container.native)
        self.container.margins = (0, 0, 0, 0)
        for form, tick in self.ticks.items():
            tick.value = is_on(_TICKS[form][0]) if forms is None else form in forms
        self.scan.visible = len(scans) > 1
        self.scan.value = scans.index(chosen)
        self.scan.changed.connect(self._show_scan)
        self.mask.changed.connect(self._show_mask)
        self._show_scan()

    @property
    def chosen_scan(self) -> OpenScan:
        """The scan to export."""
        return self._scans[int(self.scan.value)]

    @property
    def chosen_mask(self) -> MaskLayers | None:
        """The mask to export; None if the scan has none."""
        masks = self.chosen_scan.masks
        return masks[self.mask.value] if masks else None

    @property
    def forms(self) -> list[Form]:
        """The formats that are ticked and possible."""
        return [form for form, tick in self.ticks.items() if tick.value and tick.enabled]

    def choose_mask(self, mask: MaskLayers) -> None:
        """Choose one of the scan's masks."""
        self.mask.value = self.chosen_scan.masks.index(mask)

    def keep_ticks(self) -> None:
        """Begin with these formats the next time; formats that are not possible now stay as they were."""
        for form, tick in self.ticks.items():
            if tick.enabled:
                turn(_TICKS[form][0], on=tick.value)

    def _mask_choices(self, _box: object) -> list[tuple[str, int]]:
        return numbered([mask.title for mask in self.chosen_scan.masks])

    def _show_scan(self) -> None:
        scan = self.chosen_scan
        self.mask.reset_choices()
        self.mask.visible = len(scan.masks) > 1
        self.propose(scan.folder, scan.name)
        self._show_mask()

    def _show_mask(self) -> None:
        mask = self.chosen_mask
        notes = []
        for form, tick in self.ticks.items():
            tick.enabled = mask is not None or not form.needs_mask
        if mask is None:
            notes.append(_NO_MASK)
        elif mask.bare:
            notes.append(f"No mask lies on {' and '.join(image.name for image in mask.bare)}.")
        if mask is not None and not self.chosen_scan.may_be_dicom:
            self.ticks[Form.SEG].enabled = False
            notes.append(_NO_DICOM)
        self.note = " ".join(notes)
