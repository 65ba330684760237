"""Make self-contained pages and diagrams from the templates in ``templates/``, without scripts or external files."""

from __future__ import annotations

from napari_bonescint.text.html_templates import environment

_PACKAGE = "napari_bonescint.evaluation.report"


def render(template: str, **facts: object) -> str:
    """Fill the template in the file `template` with `facts`; every text is escaped."""
    return environment(_PACKAGE).get_template(template).render(facts)
