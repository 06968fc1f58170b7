"""The templates beside this module, with the project's number formats."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lesionlens import DISCLAIMER
from lesionlens.evaluation import wording
from lesionlens.evaluation.groups import wording as group_words
from lesionlens.evaluation.groups.plot import forest_plot
from lesionlens.evaluation.slices import SHORT_SIDE
from lesionlens.evaluation.suitability import wording as suitability_words
from lesionlens.taxonomy import BY_CODE, CODES, DIAGNOSES
from lesionlens.version import __version__

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Fill a template; HTML templates escape what is put into them.

    Args:
        template: Name of a file in `templates/`.
        values: What the template refers to; an unknown name is an error, not an empty place.
    """
    environment = Environment(
        loader=PackageLoader("lesionlens.evaluation"),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": wording.number, "bounds": wording.bounds, "spread": wording.spread}
    environment.globals |= {
        "BY_CODE": BY_CODE,
        "CODES": CODES,
        "DIAGNOSES": DIAGNOSES,
        "DISCLAIMER": DISCLAIMER,
        "HEADLINES": wording.HEADLINES,
        "SHORT_SIDE": SHORT_SIDE,
        "estimate_of": wording.estimate_of,
        "forest_plot": forest_plot,
        "group_words": group_words,
        "operating_name": wording.operating_name,
        "package_version": __version__,
        "suitability_words": suitability_words,
    }
    return environment.get_template(template).render(values)
