"""The form of a search in an archive."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, DateEdit, LineEdit

from napari_bonescint.archive.records import Query


class Period(StrEnum):
    """Choices for the date of a study."""

    ANY = "Any time"
    TODAY = "Today"
    WEEK = "Last 7 days"
    MONTH = "Last 30 days"
    YEAR = "Last 12 months"
    BETWEEN = "Between …"


_DAYS = {Period.TODAY: 0, Period.WEEK: 7, Period.MONTH: 30, Period.YEAR: 365}
_MODALITIES = [("NM, nuclear medicine", "NM"), ("All kinds", "")]


class SearchForm:
    """Fields in `container`."""

    def __init__(self) -> None:
        self.patient_id = LineEdit(label="Patient ID", tooltip="As in the archive; * stands for any characters")
        self.name = LineEdit(label="Name", tooltip="The beginning of the family name, or Smith^Ann")
        self.accession = LineEdit(label="Accession", tooltip="The accession number of the study")
        self.period = ComboBox(label="Date", choices=[str(each) for each in Period], value=str(Period.ANY))
        today = date.today()
        self.since = DateEdit(label="From", value=today - timedelta(days=365))
        self.until = DateEdit(label="To", value=today)
        self.modality = ComboBox(label="Kind", choices=_MODALITIES, value="NM")
        self.whole_body = CheckBox(text="Whole body", value=True)
        self.whole_body.tooltip = "Only studies whose description names a bone scan, or is empty"
        dates, kinds = (
            Container(layout="horizontal", widgets=fields, labels=labels)
            for fields, labels in (((self.since, self.until), True), ((self.modality, self.whole_body), False))
        )
        self._dates = dates
        dates.label, kinds.label = "", "Kind"
        fields = [self.patient_id, self.name, self.accession, self.period, dates, kinds]
        self.container: Container[Any] = Container(widgets=fields)
        for box in (self.container, dates, kinds):
            box.margins = (0, 0, 0, 0)
        dates.visible = False
        self.period.changed.connect(lambda period: setattr(dates, "visible", period == Period.BETWEEN))

    @property
    def query(self) -> Query:
        """What to search for."""
        period = Period(self.period.value)
        since = until = None
        if period is Period.BETWEEN:
            since, until = self.since.value, self.until.value
        elif period is not Period.ANY:
            since = date.today() - timedelta(days=_DAYS[period])
        return Query(
            patient_id=self.patient_id.value.strip(),
            patient_name=self.name.value.strip(),
            accession=self.accession.value.strip(),
            since=since,
            until=until,
            modality=self.modality.value,
        )
