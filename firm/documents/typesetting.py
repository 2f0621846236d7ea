"""Running Typst: one compiler kept for the process, data only through `sys.inputs`, nothing read but our files."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, time
from datetime import date as Day
from functools import lru_cache
from pathlib import Path
from typing import Any

import font_source_sans_pro
import typst

TEMPLATES = Path(__file__).parent / "templates"
FONTS = Path(font_source_sans_pro.__file__).parent / "files"
Standards = list[Any]
"""Names of PDF standards, as Typst spells them."""

ARCHIVAL: Standards = ["a-3a", "ua-1"]
ORDINARY: Standards = ["1.7"]

_REFUSED_TEXT = re.compile(r'the text `"(.+?)"` could not be displayed|contains the codepoint `"(.+?)"`')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_one_at_a_time = threading.Lock()


def typeset(template: str, shown: Mapping[str, Any], *, figures: str) -> bytes:
    """The PDF of what a paper shows. `figures` is the JSON that goes along where fonts cannot show it all."""
    inputs = {"data": json.dumps(shown, ensure_ascii=False)}
    # The file's date is the day of issue: the clock would make each rendering another file.
    moment = int(datetime.combine(Day(*shown["date"]), time(), UTC).timestamp())
    with _one_at_a_time:
        try:
            return _compiled(template, inputs, moment, ARCHIVAL)
        except typst.TypstError as refusal:
            return _spelled_out(template, inputs | {"figures": figures}, moment, _refused_text(refusal))


def _spelled_out(template: str, inputs: dict[str, str], moment: int, missing: set[str]) -> bytes:
    """The PDF with the characters no font of ours has as their code points: PDF/A refuses to leave them out.

    An ordinary PDF takes anything, and is better than none where PDF/A still refuses.
    """
    spelled = inputs | {"missing": "".join(rf"\x{{{ord(one):x}}}" for one in sorted(missing))}
    try:
        return _compiled(template, spelled, moment, ARCHIVAL)
    except typst.TypstError:
        return _compiled(template, spelled, moment, ORDINARY)


def _compiled(template: str, inputs: dict[str, str], moment: int, standards: Standards) -> bytes:
    made = _compiler().compile(
        input=str(TEMPLATES / f"{template}.typ"),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=standards,
        timestamp=moment,
    )
    if not isinstance(made, bytes):
        raise TypeError("Typst gave several files for one paper.")
    return made


def _refused_text(refusal: typst.TypstError) -> set[str]:
    """The characters that Typst says it cannot show; it names all of them at once."""
    found = (first or second for first, second in _REFUSED_TEXT.findall(refusal.diagnostic))
    return {one for text in found for one in _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)}


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(root=str(TEMPLATES), font_paths=fonts)
