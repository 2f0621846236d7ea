"""The door: render a paper's figures as PDF, HTML or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firm.documents import funded_work_report, remittance_advice, self_billed_invoice, statement, statement_2
from firm.documents.wording import legible
from firm.errors import Refused

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
KNOWN: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "statement-1": statement.shown,
    "statement-2": statement_2.shown,
    "funded-work-report-1": funded_work_report.shown,
    "remittance-advice-1": remittance_advice.shown,
    "self-billed-invoice-1": self_billed_invoice.shown,
}
"""Kind and template version of every paper that was ever issued, and what words its figures."""


class UnknownPaper(Refused):
    """Figures of a kind or version that this program has no template for."""


def pdf(figures: Mapping[str, object]) -> bytes:
    """The paper as PDF/A-3a and PDF/UA-1; the same figures always give the same bytes.

    Characters that no font of ours has appear as their code points, and the figures are attached as JSON.
    Raises `UnknownPaper`.
    """
    template = _template(figures)
    from firm.documents import typesetting  # imported here: Typst is large and most commands need no paper

    return typesetting.typeset(template, _shown(template, figures), figures=json_bytes(figures).decode())


def html(figures: Mapping[str, object]) -> bytes:
    """The paper as one HTML file that loads nothing from elsewhere. Raises `UnknownPaper`."""
    template = _template(figures)
    return _environment().get_template(f"{template}.html").render(_shown(template, figures)).encode()


def json_bytes(figures: Mapping[str, object]) -> bytes:
    """The figures themselves, as canonical JSON with a final newline."""
    text = json.dumps(figures, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half of a surrogate pair has no UTF-8; escaped, it is the JSON it came from.
    return (text + "\n").encode(errors="backslashreplace")


def _template(figures: Mapping[str, object]) -> str:
    kind, version = figures.get("kind"), figures.get("template")
    template = f"{kind}-{version}"
    if type(kind) is not str or type(version) is not int or template not in KNOWN:
        raise UnknownPaper(f"There is no template for {kind!r} in version {version!r}; update this program.")
    return template


def _shown(template: str, figures: Mapping[str, object]) -> dict[str, Any]:
    return KNOWN[template](legible(figures))


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
