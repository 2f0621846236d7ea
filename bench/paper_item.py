"""G9: a statement as PDF, beside Typst with the same template and inputs."""

from __future__ import annotations

from typing import Any

import typst

from bench.pairs import Result, run_pairs, timed
from firm.documents import papers, typesetting


def statement(*, full: bool) -> Result:
    """Our view model and door beside a bare kept compiler that is handed the finished view model."""
    papers_ = [_figures(number) for number in range(40 if full else 8)]

    def ours() -> float:
        return timed(lambda: [papers.pdf(figures) for figures in papers_])

    recorded = _recorded(papers_)
    compiler = typst.Compiler(root=str(typesetting.TEMPLATES), font_paths=_fonts())

    def floor() -> float:
        return timed(lambda: [compiler.compile(**arguments) for arguments in recorded])

    pairs = run_pairs(ours, floor, number=7 if full else 1)
    return Result("G9", "typst", "statement PDF, PDF/A-3a", pairs, len(papers_), "", 0.85)


def _recorded(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What our own code hands to Typst, taken down once."""
    calls: list[dict[str, Any]] = []

    class Recorder:
        def compile(self, **arguments: Any) -> bytes:
            calls.append(arguments)
            return b""

    kept = typesetting._compiler
    typesetting._compiler = Recorder  # type: ignore[assignment]
    try:
        for one in figures:
            papers.pdf(one)
    finally:
        typesetting._compiler = kept
    return calls


def _fonts() -> Any:
    return typst.Fonts(include_system_fonts=False, font_paths=[str(typesetting.FONTS)])


def _figures(number: int) -> dict[str, Any]:
    def usd(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": "USD"}

    earnings = [
        {
            "kind": "guarantee",
            "package": f"example.org/package-{line}",
            "explanation": f"Guarantee of 400.00 USD a month for number {number}",
            "adjusts": None,
            "amount": usd("400.00"),
        }
        for line in range(25)
    ]
    return {
        "kind": "statement",
        "template": 1,
        "number": f"ST-2026-{number:04d}",
        "issued_on": "2026-11-01",
        "month": "2026-10",
        "firm": {"name": "Bench", "address": ["1 Main Street"], "email": "a@b.example", "color": "#1f3a5f"},
        "maintainer": {"name": f"Person {number}", "address": ["2 Main Street"]},
        "corrects": None,
        "currency": "USD",
        "opening": usd("0.00"),
        "earnings": earnings,
        "earned": usd("10000.00"),
        "payouts": [],
        "paid": usd("0.00"),
        "closing": usd("10000.00"),
    }
