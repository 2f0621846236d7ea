"""Reading a PDF back, as the tests of papers do."""

from __future__ import annotations

import io
import re
from typing import Any

import pypdf


def opened(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content))


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in opened(content).pages]


def words(content: bytes) -> str:
    """All text of a PDF with single spaces, wherever its lines broke."""
    return re.sub(r"\s+", " ", " ".join(pages(content)))


def letters(content: bytes) -> str:
    """All text of a PDF without spaces, for words that are broken over lines."""
    return re.sub(r"\s+", "", " ".join(pages(content)))


def catalog(content: bytes) -> dict[str, Any]:
    root: Any = opened(content).trailer["/Root"].get_object()
    return dict(root)


def links(content: bytes) -> list[str]:
    """The addresses that a click in the PDF would open."""
    marks = [mark.get_object() for page in opened(content).pages for mark in page.get("/Annots", [])]
    return [str(mark["/A"]["/URI"]) for mark in marks if "/URI" in mark.get("/A", {})]
