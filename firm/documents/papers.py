"""The door: render a paper's figures as PDF, HTML or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firm.documents import wording
from firm.errors import Refused

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
KNOWN = {("statement", 1): wording.statement, ("funded-work-report", 1): wording.funded_work_report}
"""Kind and template version of every paper that was ever issued, and what words it in figures."""


class UnknownPaper(Refused):
    """Figures of a kind or version that this program has no template for."""


def pdf(figures: Mapping[str, Any]) -> bytes:
    """The paper as PDF: PDF/A-3a and PDF/UA-1, or plain PDF when a name needs a glyph no font of ours has."""
    from firm.documents import typesetting  # imported here: Typst is large and most commands need no paper

    return typesetting.typeset(_template(figures), _worded(figures), issued_on=str(figures["issued_on"]))


def html(figures: Mapping[str, Any]) -> bytes:
    """The paper as one HTML file that loads nothing from elsewhere."""
    return _environment().get_template(f"{_template(figures)}.html").render(_worded(figures)).encode()


def json_bytes(figures: Mapping[str, Any]) -> bytes:
    """The figures themselves, as canonical JSON with a final newline."""
    return (json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _template(figures: Mapping[str, Any]) -> str:
    kind, version = figures.get("kind"), figures.get("template")
    if (kind, version) not in KNOWN:
        raise UnknownPaper(f"There is no template for {kind!r} in version {version!r}; update this program.")
    return f"{kind}-{version}"


def _worded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return KNOWN[figures["kind"], figures["template"]](figures)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
