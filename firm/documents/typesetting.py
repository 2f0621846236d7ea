"""Running Typst: one compiler kept for the process, data only through `sys.inputs`, nothing read but our files."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
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

_one_at_a_time = threading.Lock()


def typeset(template: str, shown: Mapping[str, Any], *, issued_on: str) -> bytes:
    """The PDF of a template and what it shows; dated by its issue, so that the same input gives the same bytes."""
    day = date.fromisoformat(issued_on)
    inputs = {"data": json.dumps(shown, ensure_ascii=False), "issued": day.isoformat()}
    # The file's date is the day of issue: the clock would make each rendering another file.
    moment = int(datetime.combine(day, time(), UTC).timestamp())
    with _one_at_a_time:
        compiler = _compiler()
        try:
            return _bytes(compiler, template, inputs, moment, pdf_standards=ARCHIVAL)
        except typst.TypstError:
            # PDF/A refuses text that no font of ours can show; an ordinary PDF keeps it and shows a box.
            return _bytes(compiler, template, inputs, moment, pdf_standards=ORDINARY)


def _bytes(
    compiler: typst.Compiler, template: str, inputs: dict[str, str], moment: int, *, pdf_standards: Standards
) -> bytes:
    made = compiler.compile(
        input=str(TEMPLATES / f"{template}.typ"),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=pdf_standards,
        timestamp=moment,
    )
    if not isinstance(made, bytes):
        raise TypeError("Typst gave several files for one paper.")
    return made


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(root=str(TEMPLATES), font_paths=fonts)
