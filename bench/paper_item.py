"""G9: a statement as PDF, beside Typst with the same template and inputs."""

from __future__ import annotations

import itertools
from typing import Any

import typst

from bench.pairs import Cost, Result, run_rounds, timed
from firm.documents import papers, typesetting


def statement(*, full: bool) -> Result:
    """Our view model and door beside a bare kept compiler that is handed the finished view model.

    Typst remembers what it compiled, for the whole process: so no paper is ever rendered twice, on either side.
    """
    number = 20 if full else 4
    serial = itertools.count(1)
    compiler = typst.Compiler(root=str(typesetting.TEMPLATES), font_paths=_fonts())

    def fresh() -> list[dict[str, Any]]:
        return [_figures(next(serial)) for _ in range(number)]

    def ours() -> Cost:
        papers_ = fresh()
        return timed(lambda: [papers.pdf(figures) for figures in papers_])

    def floor() -> Cost:
        recorded = _recorded(fresh())
        return timed(lambda: [compiler.compile(**arguments) for arguments in recorded])

    _refuse_other_bytes(compiler)
    rounds = run_rounds(ours, floor, number=7 if full else 1)
    return Result("G9", "typst", "statement PDF, PDF/A-3a", rounds, number, 0.85)


def _refuse_other_bytes(compiler: Any) -> None:
    figures = _figures(0)
    (arguments,) = _recorded([figures])
    if compiler.compile(**arguments) != papers.pdf(figures):
        raise AssertionError("the floor makes another paper than ours")


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
